namespace ClickAggregator.Streaming;

/// <summary>Offsets were asked for that the log does not hold.</summary>
public sealed class OffsetOutOfRangeException(int partition, long from, long to, LogRange held)
    : Exception($"partition {partition} holds the offsets [{held.Start}, {held.End}); [{from}, {to}) was asked for")
{
    public int Partition { get; } = partition;
    public long From { get; } = from;
    public long To { get; } = to;
    public LogRange Held { get; } = held;
}
