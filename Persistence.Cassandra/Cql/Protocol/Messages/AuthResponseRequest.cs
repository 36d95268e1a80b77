using System.Text;

namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>AUTH_RESPONSE (section 4.1.2) with SASL PLAIN (RFC 4616): no authorization id, the user, the password.</summary>
internal sealed class AuthResponseRequest(string user, string password) : CqlRequest
{
    public override Opcode Opcode => Opcode.AuthResponse;

    public override void WriteBody(CqlBuffer buffer) => buffer.WriteBytes(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));
}
