namespace ClickAggregator.Grains.Archive;

/// <summary>How the archive is written.</summary>
public sealed record ArchiveOptions
{
    /// <summary>Bytes of the log that one object takes at most; at least 1 KiB. Default 128 MiB.</summary>
    public long MaxObjectBytes { get; init; } = 128L << 20;

    /// <summary>How long a record waits in the log at most until it is archived, where nothing fails. Default 10 minutes.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long after its end an hour's clicks are moved into the table. Default 15 minutes.</summary>
    public TimeSpan MergeGrace { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long clicks of an hour that was moved before wait for others of it. Default a day.</summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Objects that wait for their hours at most; beyond it hours are moved though few clicks of them wait. Default 100.</summary>
    public int MaxInboxObjects { get; init; } = 100;

    /// <summary>How long an object that was taken away stays, for those who are reading it. Default 5 minutes.</summary>
    public TimeSpan TakenAwayAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>After which time the log forgets records; null for never. What the archive has not got by then is lost to it.</summary>
    public TimeSpan? LogRetention { get; init; }

    /// <summary>
    /// Objects that one silo makes at the same time. Each takes the ids that may be repeated, where the counting has not told them
    /// (96 MB at most by default), and clicks of <see cref="MaxObjectBytes"/> where an hour is moved. Default 1.
    /// </summary>
    public int AtOnce { get; init; } = 1;

    /// <summary>How often a chain looks at its log. Default 1 s.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Clicks that a merge takes at a time, about.</summary>
    internal long MergeRows => Math.Max(1, MaxObjectBytes / 100);

    /// <summary>Hours that one object may have clicks of.</summary>
    internal int MaxHours { get; init; } = 1000;
}
