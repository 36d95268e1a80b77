namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>PREPARE (section 4.1.5).</summary>
internal sealed class PrepareRequest(string text) : CqlRequest
{
    public override Opcode Opcode => Opcode.Prepare;

    public override void WriteBody(CqlBuffer buffer) => buffer.WriteLongString(text);
}
