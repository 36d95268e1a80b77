using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>What a batch changes.</summary>
public sealed class FoldedBatch
{
    /// <summary>The windows it changes, ordered by series (ordinal), then hour.</summary>
    public required IReadOnlyList<FoldedWindow> Windows { get; init; }

    /// <summary>The UTC hours (since the epoch) of these windows, ascending.</summary>
    public required int[] Hours { get; init; }

    /// <summary>Records that counted.</summary>
    public long Counted { get; init; }

    /// <summary>Records dropped because the same click occurred before.</summary>
    public long Duplicates => Repeats.Count;

    /// <summary>Their offsets, ascending.</summary>
    public IReadOnlyList<long> Repeats { get; init; } = [];

    /// <summary>Records that hold no click.</summary>
    public long Unreadable => UnreadableBy.Values.Sum();

    /// <summary>The same by reason: the codes of dead letters, which are few.</summary>
    public IReadOnlyDictionary<string, long> UnreadableBy { get; init; } = new Dictionary<string, long>();

    /// <summary>Records that the log lost to damage.</summary>
    public long Damaged { get; init; }

    /// <summary>Clicks older than the retention when they were appended: not folded.</summary>
    public long Expired { get; init; }

    /// <summary>Of <see cref="Counted"/>: those whose hour had ended when they were appended, by <see cref="LateAges"/>.</summary>
    public required long[] LateByAge { get; init; }

    /// <summary>All records of <see cref="LateByAge"/>.</summary>
    public long Late => LateByAge.Sum();

    /// <summary>The URLs of page ids, in order of first appearance in this batch; each id once.</summary>
    public required IReadOnlyList<PageRow> Pages { get; init; }

    /// <summary>Log time of the last record, milliseconds since the epoch; 0 where the batch has no record.</summary>
    public long LastTimestamp { get; init; }
}

/// <summary>What a batch adds to one window.</summary>
/// <param name="Slot">The window.</param>
/// <param name="Minutes">Clicks per minute of the hour, ascending; only minutes with clicks.</param>
public readonly record struct FoldedWindow(WindowSlot Slot, ReadOnlyMemory<MinuteCount> Minutes)
{
    /// <summary>All clicks it adds.</summary>
    public long Clicks
    {
        get
        {
            long sum = 0;
            foreach (MinuteCount minute in Minutes.Span)
            {
                sum += minute.Clicks;
            }

            return sum;
        }
    }
}
