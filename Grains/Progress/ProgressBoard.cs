using System.Collections.Concurrent;

namespace ClickAggregator.Grains.Progress;

/// <summary>
/// Where the partition grains of this silo post their progress, so that a query learns it without waiting for a grain
/// that is folding a batch.
/// </summary>
public sealed class ProgressBoard
{
    private readonly ConcurrentDictionary<int, PartitionProgress> _partitions = new();

    /// <summary>Why the log does not say which partitions it has; null while it does.</summary>
    public string? Trouble { get; set; }

    /// <summary>Says that a partition is taken up, unless more is known of it.</summary>
    public void Open(int partition) =>
        _partitions.TryAdd(partition, new PartitionProgress(partition, PartitionState.Starting, 0, 0, 0, null));

    /// <summary>Posts; the latest post of a partition stands.</summary>
    public void Post(PartitionProgress progress) => _partitions[progress.Partition] = progress;

    /// <summary>What was posted last, by partition. Empty until the first partition was taken up.</summary>
    public IReadOnlyList<PartitionProgress> Snapshot() =>
        [.. _partitions.Values.OrderBy(progress => progress.Partition)];
}
