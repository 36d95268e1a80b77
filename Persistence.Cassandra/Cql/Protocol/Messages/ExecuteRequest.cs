namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>EXECUTE (section 4.1.6).</summary>
internal sealed class ExecuteRequest(byte[] id, CqlValues values, QueryParameters parameters) : CqlRequest
{
    public override Opcode Opcode => Opcode.Execute;

    public override void WriteBody(CqlBuffer buffer)
    {
        buffer.WriteShortBytes(id);
        parameters.Write(buffer, values);
    }
}
