namespace ClickAggregator.ClickLog.Watch;

/// <summary>Which log files are followed, and how.</summary>
public sealed record WatchOptions
{
    /// <summary>Paths or globs: <c>*</c> within a name, <c>**</c> across folders.</summary>
    public required IReadOnlyList<string> Patterns { get; init; }

    /// <summary>Where lines go that are no clicks: one NDJSON file per source.</summary>
    public required string DeadLetterDirectory { get; init; }

    /// <summary>A longer line is no click, bytes.</summary>
    public int LineBytes { get; init; } = 16 << 10;

    /// <summary>How often a file at its end is looked at.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often the patterns are matched anew.</summary>
    public TimeSpan MatchInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a last line without its newline has to stand still before it is taken, if it is a whole click: what
    /// could still follow a closed object is white space.
    /// </summary>
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a file that no pattern matches any more (renamed, deleted) is followed after its last byte.</summary>
    public TimeSpan LeaveAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a file stands still before its handle is closed. It is opened again when it grows.</summary>
    public TimeSpan RestAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Files known at a time at most; further ones wait, and are said.</summary>
    public int MaxFiles { get; init; } = 10_000;

    /// <summary>Dead letters kept of one source at most, bytes; what goes beyond is only counted.</summary>
    public long DeadLetterBytes { get; init; } = 64 << 20;
}
