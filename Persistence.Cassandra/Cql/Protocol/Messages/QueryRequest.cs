namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>QUERY (section 4.1.4) without values: for the schema, and for the tables that describe the cluster.</summary>
internal sealed class QueryRequest(string text, QueryParameters parameters) : CqlRequest
{
    public override Opcode Opcode => Opcode.Query;

    public override void WriteBody(CqlBuffer buffer)
    {
        buffer.WriteLongString(text);
        parameters.Write(buffer, null);
    }
}
