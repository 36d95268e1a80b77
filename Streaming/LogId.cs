namespace ClickAggregator.Streaming;

/// <summary>
/// Names one log for as long as it lives: offsets mean something only within it. A click log's UUID file, or
/// Kafka's cluster id and topic id.
/// </summary>
/// <param name="Value">Opaque; never empty. Compared by ordinal.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.LogId")]
public readonly record struct LogId([property: Id(0)] string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}
