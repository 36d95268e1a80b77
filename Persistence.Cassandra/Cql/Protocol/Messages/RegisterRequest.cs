namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>REGISTER (section 4.1.8) for all events.</summary>
internal sealed class RegisterRequest : CqlRequest
{
    public static readonly RegisterRequest Instance = new();

    public override Opcode Opcode => Opcode.Register;

    public override void WriteBody(CqlBuffer buffer)
    {
        buffer.WriteShort(3);
        buffer.WriteString("TOPOLOGY_CHANGE");
        buffer.WriteString("STATUS_CHANGE");
        buffer.WriteString("SCHEMA_CHANGE");
    }
}
