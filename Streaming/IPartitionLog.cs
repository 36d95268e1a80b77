namespace ClickAggregator.Streaming;

/// <summary>
/// A partitioned, append-only log as its readers see it: Kafka, or the click log on local disk.
/// Safe for concurrent use. Offsets may have holes (transaction markers, damage): continuity is what
/// <see cref="Slab.From"/> and <see cref="Slab.To"/> say, never a count of records.
/// </summary>
public interface IPartitionLog
{
    /// <summary>Which log this is. Throws when it cannot be reached.</summary>
    ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken);

    /// <summary>How many partitions there are now; partitions are numbered from 0.</summary>
    ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken);

    /// <summary>What a partition holds now.</summary>
    ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the records of <c>[from, to)</c>, in order, as slabs that follow each other without a gap: the first
    /// starts at <paramref name="from"/>, each next where the last ended, and the last ends at <paramref name="to"/>.
    /// A range that holds no records is one empty slab. The caller releases each slab.
    /// </summary>
    /// <exception cref="OffsetOutOfRangeException">Part of the range is not in the log (any more, or yet).</exception>
    IAsyncEnumerable<Slab> ReadAsync(int partition, long from, long to, CancellationToken cancellationToken);

    /// <summary>Opens a reader that follows the partition from an offset on. One reader is used by one caller.</summary>
    ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken);
}

/// <summary>Follows one partition. Not safe for concurrent use.</summary>
public interface IPartitionReader : IAsyncDisposable
{
    /// <summary>Where the reader stands: the <see cref="Slab.To"/> of its last slab, or where it was opened.</summary>
    long Position { get; }

    /// <summary>
    /// The next slab, or null at once when nothing beyond <see cref="Position"/> is at hand: the log has nothing there, or
    /// it is still on its way here. It never waits. The caller releases the slab.
    /// </summary>
    /// <param name="maxBytes">About how much to return at most; a single larger record is returned all the same.</param>
    /// <exception cref="OffsetOutOfRangeException">The log no longer holds the position.</exception>
    ValueTask<Slab?> ReadAsync(int maxBytes, CancellationToken cancellationToken);
}
