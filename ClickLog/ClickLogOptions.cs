namespace ClickAggregator.ClickLog;

/// <summary>Where the click log is and how large it may become.</summary>
public sealed record ClickLogOptions
{
    /// <summary>The data directory; the log is below it, in <c>log/</c>.</summary>
    public required string Directory { get; init; }

    /// <summary>Partitions of a new log, 1-256. A log that exists keeps the number it was made with.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>A segment file is closed at this size, bytes.</summary>
    public long SegmentBytes { get; init; } = 256L << 20;

    /// <summary>Segments younger than this are kept even when they are counted.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The whole log at most, bytes; beyond it appends are refused.</summary>
    public long MaxBytes { get; init; } = 50L << 30;

    /// <summary>What may wait to be written in one partition, bytes; beyond it appends are refused as overloaded.</summary>
    public long QueueBytes { get; init; } = 64L << 20;
}
