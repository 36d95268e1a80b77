using System.Buffers.Text;
using System.Globalization;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>One queue and one stream a partition; the queue's number is the partition's.</summary>
internal sealed class PartitionQueueMapper(string provider, string streamNamespace, int partitions) : IStreamQueueMapper
{
    private readonly QueueId[] _queues =
        [.. Enumerable.Range(0, partitions).Select(partition => QueueId.GetQueueId(provider, (uint)partition, (uint)partition))];

    public static int PartitionOf(QueueId queue) => checked((int)queue.GetNumericId());

    /// <summary>
    /// The stream of a partition. Its key is the number in decimal, which Orleans turns into the key of a subscriber
    /// that is an <see cref="IGrainWithIntegerKey"/>.
    /// </summary>
    public StreamId StreamOf(int partition) => StreamId.Create(streamNamespace, (long)partition);

    public IEnumerable<QueueId> GetAllQueues() => _queues;

    public QueueId GetQueueForStream(StreamId streamId)
    {
        ReadOnlySpan<byte> key = streamId.Key.Span;
        return Utf8Parser.TryParse(key, out int partition, out int read) && read == key.Length
            && partition >= 0 && partition < _queues.Length
            ? _queues[partition]
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"stream {streamId} is none of the {_queues.Length} partitions"),
                nameof(streamId));
    }
}
