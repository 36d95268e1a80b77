using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Silo;

/// <summary>How much of the click log is still needed: the rest is removed once it is past its retention.</summary>
public interface IClickLogNeed
{
    /// <summary>
    /// Per partition the first offset that is needed. What it says holds once the store has made durable what it held when
    /// this was asked.
    /// </summary>
    IReadOnlyList<long> FirstNeeded();
}

/// <summary>Where the click log itself is counted: what is not counted, and ids that may be repeated.</summary>
internal sealed class CountedClickLog(PartitionedClickLog log, ProgressBoard board) : IClickLogNeed
{
    public IReadOnlyList<long> FirstNeeded()
    {
        long[] needed = new long[log.Partitions];
        foreach (PartitionProgress progress in board.Snapshot().Where(progress => progress.Partition < needed.Length))
        {
            needed[progress.Partition] = progress.Needed;
        }

        return needed;
    }
}

/// <summary>Where nobody says how much is shipped: all of it.</summary>
internal sealed class WholeClickLog : IClickLogNeed
{
    public IReadOnlyList<long> FirstNeeded() => [];
}
