using System.Buffers.Text;
using System.Globalization;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>
/// One queue and one stream a partition; the queue's number is the partition's. It begins without partitions, because the
/// log may be away when a silo starts, and learns of more while it runs; it never forgets one.
/// </summary>
internal sealed class PartitionQueueMapper(string provider, string streamNamespace, int partitions = 0) : IStreamQueueMapper
{
    private volatile QueueId[] _queues = Queues(provider, partitions);

    /// <summary>How many partitions are known.</summary>
    public int Partitions => _queues.Length;

    public static int PartitionOf(QueueId queue) => checked((int)queue.GetNumericId());

    /// <summary>
    /// The stream of a partition. Its key is the number in decimal, which Orleans turns into the key of a subscriber
    /// that is an <see cref="IGrainWithIntegerKey"/>.
    /// </summary>
    public StreamId StreamOf(int partition) => StreamId.Create(streamNamespace, (long)partition);

    /// <summary>All queues, by partition.</summary>
    public IReadOnlyList<QueueId> All => _queues;

    public IEnumerable<QueueId> GetAllQueues() => _queues;

    public QueueId GetQueueForStream(StreamId streamId)
    {
        ReadOnlySpan<byte> key = streamId.Key.Span;
        QueueId[] queues = _queues;
        return Utf8Parser.TryParse(key, out int partition, out int read) && read == key.Length
            && partition >= 0 && partition < queues.Length
            ? queues[partition]
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"stream {streamId} is none of the {queues.Length} partitions"),
                nameof(streamId));
    }

    /// <summary>Learns of further partitions; false where none are new.</summary>
    /// <remarks>Called by one at a time.</remarks>
    public bool GrowTo(int partitions)
    {
        if (partitions <= _queues.Length)
        {
            return false;
        }

        _queues = Queues(provider, partitions);
        return true;
    }

    private static QueueId[] Queues(string provider, int partitions) =>
        [.. Enumerable.Range(0, partitions).Select(partition => QueueId.GetQueueId(provider, (uint)partition, (uint)partition))];
}
