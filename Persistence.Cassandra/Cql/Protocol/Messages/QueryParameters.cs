namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

/// <summary>
/// How a statement is executed (section 4.1.4). The metadata of results is never skipped: what PREPARE said may be out of
/// date, and says nothing of conditional statements.
/// </summary>
internal readonly record struct QueryParameters(
    CqlConsistency Consistency,
    int PageSize = 0,
    byte[]? PagingState = null,
    CqlConsistency? SerialConsistency = null,
    long? Timestamp = null)
{
    private const byte Values = 0x01;
    private const byte WithPageSize = 0x04;
    private const byte WithPagingState = 0x08;
    private const byte WithSerialConsistency = 0x10;
    private const byte WithTimestamp = 0x20;

    public void Write(CqlBuffer buffer, CqlValues? values)
    {
        buffer.WriteShort((int)Consistency);
        int flags = (values is { Count: > 0 } ? Values : 0)
            | (PageSize > 0 ? WithPageSize : 0)
            | (PagingState is not null ? WithPagingState : 0)
            | (SerialConsistency is not null ? WithSerialConsistency : 0)
            | (Timestamp is not null ? WithTimestamp : 0);
        buffer.WriteByte((byte)flags);
        if (values is { Count: > 0 })
        {
            buffer.WriteShort(values.Count);
            buffer.WriteRaw(values.Encoded);
        }

        if (PageSize > 0)
        {
            buffer.WriteInt(PageSize);
        }

        if (PagingState is not null)
        {
            buffer.WriteBytes(PagingState);
        }

        if (SerialConsistency is { } serial)
        {
            buffer.WriteShort((int)serial);
        }

        if (Timestamp is { } timestamp)
        {
            buffer.WriteLong(timestamp);
        }
    }
}
