namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// Decides what of a record becomes its bytes in a slab. Must be a function of the record alone: a range that is read
/// again has to give the same bytes. Called from many threads.
/// </summary>
public interface IRecordMapping
{
    /// <summary>How many bytes <see cref="Write"/> will write; not negative.</summary>
    int GetLength(in KafkaRecord record);

    /// <summary>Writes the bytes; the destination has exactly the length that was said.</summary>
    void Write(in KafkaRecord record, Span<byte> destination);
}

/// <summary>The record's value; an empty record where it has none.</summary>
public sealed class RecordValueMapping : IRecordMapping
{
    public static RecordValueMapping Instance { get; } = new();

    private RecordValueMapping()
    {
    }

    public int GetLength(in KafkaRecord record) => record.Value.Length;

    public void Write(in KafkaRecord record, Span<byte> destination) => record.Value.CopyTo(destination);
}
