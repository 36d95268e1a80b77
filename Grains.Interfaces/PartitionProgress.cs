namespace ClickAggregator.Grains;

/// <summary>How far the counting of one partition is.</summary>
/// <param name="Partition">The partition's number.</param>
/// <param name="State">What the partition is doing.</param>
/// <param name="Next">Every offset below it, of the log that is there, is counted and can be queried.</param>
/// <param name="End">The log's end when it was last looked at.</param>
/// <param name="CountedUntil">
/// Log time in milliseconds since the epoch: of the last counted record, or the moment at which the log's end was
/// found reached, whichever is later.
/// </param>
/// <param name="Detail">Why it stopped, how far recovering is, or what holds the counting up; null while all is well.</param>
/// <param name="Needed">
/// Counting needs no offset of the log below it any more, neither to count nor to read ids back. 0 unless it counts: a
/// partition that stands still may be counted up to an offset of another log.
/// </param>
/// <param name="Lost">Offsets that the log had lost before they were counted, the latest 100; null for none.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.PartitionProgress")]
public sealed record PartitionProgress(
    [property: Id(0)] int Partition,
    [property: Id(1)] PartitionState State,
    [property: Id(2)] long Next,
    [property: Id(3)] long End,
    [property: Id(4)] long CountedUntil,
    [property: Id(5)] string? Detail,
    [property: Id(6)] long Needed = 0,
    [property: Id(7)] IReadOnlyList<LostRange>? Lost = null);

/// <summary>Offsets that were gone from the log before they were counted.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LostRange")]
public sealed record LostRange([property: Id(0)] long From, [property: Id(1)] long To);

/// <summary>What a partition is doing.</summary>
public enum PartitionState
{
    /// <summary>Nobody has taken it up yet.</summary>
    Starting,

    /// <summary>Reads back the ids that may still be repeated.</summary>
    Recovering,

    /// <summary>Counts.</summary>
    Counting,

    /// <summary>Stands still until somebody acts: see the detail.</summary>
    Stopped,
}

/// <summary>How far the counting is.</summary>
/// <param name="Partitions">By number; empty where the log has not said yet which there are.</param>
/// <param name="Trouble">Why the log does not say which partitions it has; null while it does.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.CountingProgress")]
public sealed record CountingProgress([property: Id(0)] IReadOnlyList<PartitionProgress> Partitions, [property: Id(1)] string? Trouble);
