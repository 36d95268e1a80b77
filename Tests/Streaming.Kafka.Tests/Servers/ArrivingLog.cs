namespace ClickAggregator.Streaming.Kafka.Tests.Servers;

/// <summary>
/// A reader on Kafka says null when nothing has arrived here, some milliseconds after the brokers have it. The contract
/// asks what the log holds: so here a null counts only where the reader stands at the end of the log, and otherwise it
/// looks again.
/// </summary>
internal sealed class ArrivingLog(IPartitionLog log) : IPartitionLog
{
    public ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken) => log.GetLogIdAsync(cancellationToken);

    public ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken) => log.GetPartitionCountAsync(cancellationToken);

    public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken) =>
        log.GetRangeAsync(partition, cancellationToken);

    public IAsyncEnumerable<Slab> ReadAsync(int partition, long from, long to, CancellationToken cancellationToken) =>
        log.ReadAsync(partition, from, to, cancellationToken);

    public async ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken) =>
        new Reader(log, partition, await log.OpenAsync(partition, from, cancellationToken));

    private sealed class Reader(IPartitionLog log, int partition, IPartitionReader reader) : IPartitionReader
    {
        public long Position => reader.Position;

        public async ValueTask<Slab?> ReadAsync(int maxBytes, CancellationToken cancellationToken)
        {
            while (true)
            {
                LogRange range = await log.GetRangeAsync(partition, cancellationToken);
                if (await reader.ReadAsync(maxBytes, cancellationToken) is { } slab)
                {
                    return slab;
                }

                if (reader.Position >= range.End)
                {
                    return null;
                }
            }
        }

        public ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}
