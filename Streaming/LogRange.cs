namespace ClickAggregator.Streaming;

/// <summary>The offsets that a partition holds: half-open, <c>[Start, End)</c>.</summary>
/// <param name="Start">The first offset that can still be read.</param>
/// <param name="End">The offset that the next durable record will get; what is not durable yet is not in the log.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.LogRange")]
public readonly record struct LogRange([property: Id(0)] long Start, [property: Id(1)] long End);
