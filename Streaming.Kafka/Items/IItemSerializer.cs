namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// Turns items that are neither bytes nor a <see cref="KafkaMessage"/> into the values of records and back. Called from many
/// threads.
/// </summary>
public interface IItemSerializer
{
    /// <summary>The bytes of an item.</summary>
    byte[] Serialize<T>(T item);

    /// <summary>
    /// The item of some bytes. An exception, or null, says that they are none: see <see cref="KafkaStreamOptions.OnUnreadable"/>.
    /// </summary>
    T? Deserialize<T>(ReadOnlySpan<byte> bytes);
}
