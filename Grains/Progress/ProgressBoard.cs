using System.Collections.Concurrent;

namespace ClickAggregator.Grains.Progress;

/// <summary>
/// How far each partition is, so that a query learns it without waiting for a grain that is folding a batch. The grains of
/// this silo post their own; those of others are asked now and then (<see cref="ProgressWatch"/>).
/// </summary>
public sealed class ProgressBoard
{
    private readonly ConcurrentDictionary<int, PartitionProgress> _partitions = new();
    private readonly ConcurrentDictionary<int, bool> _own = new();

    /// <summary>Why the log does not say which partitions it has; null while it does.</summary>
    public string? Trouble { get; set; }

    /// <summary>Partitions that are counted elsewhere, as far as this silo knows.</summary>
    public IEnumerable<int> Elsewhere => _partitions.Keys.Where(partition => !_own.ContainsKey(partition));

    /// <summary>Says that there is a partition, and nothing more of it unless more is known.</summary>
    public void Expect(int partition) =>
        _partitions.TryAdd(partition, new PartitionProgress(partition, PartitionState.Starting, 0, 0, 0, null));

    /// <summary>Says that this silo takes a partition up.</summary>
    public void Open(int partition)
    {
        _own[partition] = true;
        Expect(partition);
    }

    /// <summary>Says that this silo has left a partition.</summary>
    public void Leave(int partition) => _own.TryRemove(partition, out _);

    /// <summary>Posts; the latest post of a partition stands.</summary>
    public void Post(PartitionProgress progress) => _partitions[progress.Partition] = progress;

    /// <summary>Posts what another silo says of a partition, unless it is this silo's by now.</summary>
    public void Hear(PartitionProgress progress)
    {
        if (!_own.ContainsKey(progress.Partition))
        {
            Post(progress);
        }
    }

    /// <summary>What was posted last, by partition. Empty until the log has said which there are.</summary>
    public IReadOnlyList<PartitionProgress> Snapshot() =>
        [.. _partitions.Values.OrderBy(progress => progress.Partition)];
}
