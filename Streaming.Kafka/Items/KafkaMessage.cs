namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// A record of Kafka as a stream item, whole. To be consumed it needs <see cref="KafkaMessageMapping"/>; produced, a key
/// stands in place of the stream's.
/// </summary>
/// <param name="Value">The value; null removes the key in a compacted topic.</param>
/// <param name="Key">The key, if there is one.</param>
/// <param name="Headers">The headers, in order; a name may occur more than once.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.Kafka.KafkaMessage")]
public sealed record KafkaMessage(
    [property: Id(0)] byte[]? Value,
    [property: Id(1)] byte[]? Key = null,
    [property: Id(2)] IReadOnlyList<KafkaHeader>? Headers = null);

/// <summary>A header of a record.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value, if it has one.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.Kafka.KafkaHeader")]
public readonly record struct KafkaHeader([property: Id(0)] string Name, [property: Id(1)] byte[]? Value);
