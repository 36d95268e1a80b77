using ClickAggregator.Grains.Progress;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Partitions;

/// <summary>
/// Where the reading of a partition starts: where its counting stands, as far as this silo knows. From 0 is always
/// right too, only slower: what was counted is ignored.
/// </summary>
internal sealed class RecordedStart(ProgressBoard board, IPartitionLog log) : IReaderStart
{
    public async ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken)
    {
        PartitionProgress? progress = board.Snapshot().FirstOrDefault(one => one.Partition == partition);
        LogRange range = await log.GetRangeAsync(partition, cancellationToken);

        // Before the partition has looked, its grain reads by itself what lies before the log's end now.
        return progress is { State: PartitionState.Counting } ? Math.Clamp(progress.Next, range.Start, range.End) : range.End;
    }
}
