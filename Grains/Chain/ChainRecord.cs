namespace ClickAggregator.Grains.Chain;

/// <summary>
/// The small durable record of a partition, written with compare-and-set: how far it is counted, and what it was about
/// to count.
/// </summary>
public sealed record ChainRecord
{
    /// <summary>The log that the offsets are of.</summary>
    public string Log { get; init; } = "";

    /// <summary>The number that this log's windows of this partition carry.</summary>
    public int Chain { get; init; }

    /// <summary>Every offset below it is counted.</summary>
    public long Next { get; init; }

    /// <summary>Of the last intent, microseconds; grows by at least 1,000 each time.</summary>
    public long Stamp { get; init; }

    /// <summary>The batch that was begun; null where none is.</summary>
    public PendingBatch? Pending { get; init; }

    /// <summary>From where ids have to be read back.</summary>
    public long DedupFrom { get; init; }

    /// <summary>
    /// The last record below <see cref="Next"/>, or below the end of what is pending; null where none was seen.
    /// </summary>
    public LogMark? Last { get; init; }

    /// <summary>
    /// Log time until which everything was counted when the record was written, milliseconds: what a partition that
    /// stands still since a restart says of itself. 0 where it is not known.
    /// </summary>
    public long CountedUntil { get; init; }

    /// <summary>
    /// The log is counted to this offset and no further: what comes behind it is counted from the log that takes its
    /// place. Null while it is open.
    /// </summary>
    public long? ClosedAt { get; init; }

    /// <summary>The logs that were closed before this one took their place.</summary>
    public IReadOnlyList<ClosedLog> Closed { get; init; } = [];

    /// <summary>The logs that were left for another by adoption: where their counting stands, should one be taken up again.</summary>
    public IReadOnlyList<LeftLog> Left { get; init; } = [];

    /// <summary>Ranges that the log had lost before they were counted, the latest 100.</summary>
    public IReadOnlyList<LostRange> Lost { get; init; } = [];

    /// <summary>The offset below which a log was counted and behind which it never will be; null where it is not closed.</summary>
    public long? ClosingOf(string log) => Log == log ? ClosedAt : Closed.FirstOrDefault(closed => closed.Log == log)?.At;
}

/// <summary>A batch that was begun: offsets <c>[Start, End)</c>, by the rules of that id.</summary>
public sealed record PendingBatch(long Start, long End, string Rules);

/// <summary>A log that is counted below an offset, and no further.</summary>
public sealed record ClosedLog(string Log, long At);

/// <summary>A log that was left for another while it was open, and where its counting stood.</summary>
public sealed record LeftLog(string Log, long Next, long DedupFrom, LogMark? Last);
