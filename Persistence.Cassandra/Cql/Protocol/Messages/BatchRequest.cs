namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>BATCH (section 4.1.7), always unlogged, always of prepared statements.</summary>
internal sealed class BatchRequest(
    IReadOnlyList<(byte[] Id, CqlValues Values)> statements, CqlConsistency consistency, CqlConsistency? serialConsistency, long? timestamp) : CqlRequest
{
    private const byte Unlogged = 1;
    private const byte Prepared = 1;
    private const byte WithSerialConsistency = 0x10;
    private const byte WithTimestamp = 0x20;

    public override Opcode Opcode => Opcode.Batch;

    public override void WriteBody(CqlBuffer buffer)
    {
        buffer.WriteByte(Unlogged);
        buffer.WriteShort(statements.Count);
        foreach ((byte[] id, CqlValues values) in statements)
        {
            buffer.WriteByte(Prepared);
            buffer.WriteShortBytes(id);
            buffer.WriteShort(values.Count);
            buffer.WriteRaw(values.Encoded);
        }

        buffer.WriteShort((int)consistency);
        buffer.WriteByte((byte)((serialConsistency is not null ? WithSerialConsistency : 0) | (timestamp is not null ? WithTimestamp : 0)));
        if (serialConsistency is { } serial)
        {
            buffer.WriteShort((int)serial);
        }

        if (timestamp is { } at)
        {
            buffer.WriteLong(at);
        }
    }
}
