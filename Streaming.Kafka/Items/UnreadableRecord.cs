namespace ClickAggregator.Streaming.Kafka;

/// <summary>A record that is not what its consumer asks for.</summary>
/// <param name="Provider">The stream provider.</param>
/// <param name="Partition">The record's partition.</param>
/// <param name="Offset">Its offset.</param>
/// <param name="Timestamp">Its time, milliseconds since the Unix epoch.</param>
/// <param name="Bytes">A copy of its bytes in the slab.</param>
/// <param name="Asked">What the consumer asks for.</param>
/// <param name="Fault">Why it is not.</param>
public sealed record UnreadableRecord(
    string Provider, int Partition, long Offset, long Timestamp, byte[] Bytes, Type Asked, Exception Fault);

/// <summary>What becomes of a record that cannot be read.</summary>
public enum UnreadableAction
{
    /// <summary>The consumer does not get it; it is counted, and a line of the log names its offset.</summary>
    Skip,

    /// <summary>
    /// The delivery fails. It is tried again for <see cref="PartitionStreamOptions.MaxDeliveryTime"/>, then the rest of the
    /// slab is given up, and the consumer sees the gap.
    /// </summary>
    Fail,
}

/// <summary>A record is not what its consumer asks for, and <see cref="KafkaStreamOptions.OnUnreadable"/> let it fail.</summary>
[GenerateSerializer, Alias("ClickAggregator.Streaming.Kafka.UnreadableRecordException")]
public sealed class UnreadableRecordException : Exception
{
    internal UnreadableRecordException(UnreadableRecord record)
        : base($"partition {record.Partition}: the record at offset {record.Offset} cannot be read as {record.Asked}: {record.Fault.Message}", record.Fault)
    {
    }
}
