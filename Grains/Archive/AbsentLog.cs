using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Archive;

/// <summary>In place of a log that is not here any more: what was archived of it can be rewritten, and nothing more is archived.</summary>
internal sealed class AbsentLog(string id) : IPartitionLog
{
    public ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken) => new(new LogId(id));

    public ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken) => new(0);

    public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken) => new(default(LogRange));

    public IAsyncEnumerable<Slab> ReadAsync(int partition, long from, long to, CancellationToken cancellationToken) => throw Absent();

    public ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken) => throw Absent();

    private ArchiveUnavailableException Absent() => new($"the log {id} is not here, and what was begun to be archived of it is not complete");
}
