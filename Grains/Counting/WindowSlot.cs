using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// What a partition keeps in memory of one of its windows, from batch to batch. It may be forgotten at any time: then
/// the chain knows no last stamp, and the window reads its row again.
/// </summary>
public sealed class WindowSlot(WindowKey key)
{
    /// <summary>Which window.</summary>
    public WindowKey Key { get; } = key;

    /// <summary>Stamp of the chain's last write to the window, as acknowledged; null for unknown.</summary>
    public long? LastStamp { get; set; }

    /// <summary>Whoever delivers to the window keeps its reference here.</summary>
    public object? Sink { get; set; }

    /// <summary>The series in UTF-8, for look-ups.</summary>
    internal byte[] Series { get; init; } = [];

    internal MinuteCounts Pending;

    internal long LastBatch;
}

/// <summary>One window's part of a batch.</summary>
/// <param name="Slot">The window.</param>
/// <param name="Minutes">Which minutes of the hour, 0-59, ascending by first click in the batch.</param>
/// <param name="Counts">How many clicks in each of <paramref name="Minutes"/>.</param>
public readonly record struct FoldedWindow(WindowSlot Slot, byte[] Minutes, int[] Counts);

/// <summary>What a batch of records comes to.</summary>
public sealed class FoldedBatch
{
    /// <summary>Every window that got clicks, in the order in which the records touched them.</summary>
    public required IReadOnlyList<FoldedWindow> Windows { get; init; }

    /// <summary>The UTC hours touched, ascending.</summary>
    public required IReadOnlyList<int> Hours { get; init; }

    /// <summary>Page ids whose URL was seen for the first time by this folder.</summary>
    public required IReadOnlyList<PageRow> Pages { get; init; }

    public long Counted { get; init; }
    public long Duplicates { get; init; }

    /// <summary>Records that are no click.</summary>
    public long Unreadable { get; init; }

    /// <summary>Records that the log lost to damage.</summary>
    public long Damaged { get; init; }

    /// <summary>Clicks too old to be counted.</summary>
    public long Expired { get; init; }

    /// <summary>Counted clicks whose hour had ended at their append time.</summary>
    public long Late { get; init; }
}
