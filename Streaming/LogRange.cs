namespace ClickAggregator.Streaming;

/// <summary>The offsets that a partition holds: half-open, <c>[Start, End)</c>.</summary>
/// <param name="Start">The first offset that can still be read.</param>
/// <param name="End">The offset that the next durable record will get; what is not durable yet is not in the log.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.LogRange")]
public readonly record struct LogRange([property: Id(0)] long Start, [property: Id(1)] long End)
{
    /// <summary>
    /// The offset after the last record that was written, also where something holds it back from readers: above
    /// <see cref="End"/> while a transaction is open before it.
    /// </summary>
    [Id(2)]
    public long Head { get; init; } = End;
}
