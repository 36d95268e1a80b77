using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Health;

/// <summary>How far the log that is counted is counted: the click log, whose end is known here at any time, or Kafka.</summary>
internal sealed class CountedLog(PartitionedClickLog log, ProgressBoard board, ApiSettings settings)
{
    /// <summary>By partition. Of Kafka those that were taken up, with the ends that they last saw.</summary>
    public IReadOnlyList<PartitionProgress> Partitions()
    {
        IReadOnlyList<PartitionProgress> posted = board.Snapshot();
        if (settings.Kafka is not null)
        {
            return posted;
        }

        Dictionary<int, PartitionProgress> known = posted.ToDictionary(progress => progress.Partition);
        return [.. Enumerable.Range(0, log.Partitions).Select(partition =>
        {
            (long start, long end) = log.GetRange(partition);
            return (known.GetValueOrDefault(partition) ?? new PartitionProgress(partition, PartitionState.Starting, start, end, 0, null)) with { End = end };
        })];
    }
}
