using System.Collections.Concurrent;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Where the reading starts for consumers whose progress nobody stores.</summary>
internal sealed class KafkaReaderStart(IPartitionLog log, KafkaStart start) : IReaderStart
{
    // The first answer stays: asked again after a failure, or when a partition comes back, the newest offset would be
    // another one, and what lies between would never be delivered.
    private readonly ConcurrentDictionary<int, long> _latest = new();

    public async ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken)
    {
        if (start == KafkaStart.Latest && _latest.TryGetValue(partition, out long known))
        {
            return known;
        }

        LogRange range = await log.GetRangeAsync(partition, cancellationToken);
        return start == KafkaStart.Latest ? _latest.GetOrAdd(partition, range.End) : range.Start;
    }
}
