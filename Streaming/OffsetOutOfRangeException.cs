namespace ClickAggregator.Streaming;

/// <summary>Offsets were asked for that the log does not hold.</summary>
[GenerateSerializer, Alias("ClickAggregator.Streaming.OffsetOutOfRangeException")]
public sealed class OffsetOutOfRangeException(int partition, long from, long to, LogRange held)
    : Exception($"partition {partition} holds the offsets [{held.Start}, {held.End}); [{from}, {to}) was asked for"), ILogFault
{
    [Id(0)]
    public int Partition { get; } = partition;
    [Id(1)]
    public long From { get; } = from;
    [Id(2)]
    public long To { get; } = to;
    [Id(3)]
    public LogRange Held { get; } = held;
}
