using System.Collections.Concurrent;
using ClickAggregator.Streaming.Caching;
using ClickAggregator.Streaming.Receiving;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>Gives each agent the cache and the receiver of its queue, which belong together.</summary>
internal sealed class PartitionAdapter(
    string name,
    IPartitionLog log,
    IReaderStart start,
    PartitionStreamOptions options,
    PartitionQueueMapper mapper,
    IItemReader? items,
    IItemWriter? writer,
    TimeProvider time,
    ILoggerFactory loggers)
    : IQueueAdapter, IQueueAdapterCache
{
    // The agent asks for the cache first and for the receiver next, again each time that it takes the queue.
    private readonly ConcurrentDictionary<QueueId, SlabCache> _caches = new();
    private readonly SeldomSaid _said = new(time);

    public string Name => name;

    public PartitionQueueMapper Mapper => mapper;

    public bool IsRewindable => true;

    public StreamProviderDirection Direction =>
        writer is null ? StreamProviderDirection.ReadOnly : StreamProviderDirection.ReadWrite;

    public IQueueCache CreateQueueCache(QueueId queueId) =>
        _caches[queueId] = new SlabCache(options.CacheBytes, options.MaxSlabBytes, InstrumentsOf(queueId));

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId)
    {
        int partition = PartitionQueueMapper.PartitionOf(queueId);
        return new PartitionReceiver(
            partition, slab => new SlabContainer(mapper.StreamOf(partition), slab, name, items), log, start, _caches[queueId], options.MaxSlabBytes,
            InstrumentsOf(queueId), time, _said, loggers.CreateLogger<PartitionReceiver>());
    }

    private StreamInstruments InstrumentsOf(QueueId queueId) => new(name, PartitionQueueMapper.PartitionOf(queueId));

    /// <summary>The request context stays behind: a log has readers that know nothing of Orleans.</summary>
    public Task QueueMessageBatchAsync<T>(
        StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
    {
        if (writer is null)
        {
            throw new NotSupportedException($"stream provider '{name}' only reads: write to the log");
        }

        return token is null
            ? writer.WriteAsync(streamId, events)
            : throw new ArgumentException("a producer gives no token: the log says where an item stands", nameof(token));
    }
}
