using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Progress;

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
public sealed record PartitionProgress(
    int Partition,
    PartitionState State,
    long Next,
    long End,
    long CountedUntil,
    string? Detail,
    long Needed = 0,
    IReadOnlyList<LostRange>? Lost = null);

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
