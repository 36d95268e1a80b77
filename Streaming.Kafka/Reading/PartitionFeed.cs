using System.Runtime.InteropServices;
using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka.Reading;

/// <summary>
/// What librdkafka fetches of one partition from an offset on, taken out as slabs. Nothing here waits except
/// <see cref="WaitAsync"/>, and nothing is allocated per record. Used by one caller at a time.
/// </summary>
/// <remarks>
/// librdkafka fetches ahead into the feed's queue and stops by itself when that is full. An error in the queue ends
/// the feed for good: behind some of them (a batch that cannot be decoded) librdkafka would skip records.
/// </remarks>
internal sealed unsafe partial class PartitionFeed : IDisposable
{
    private readonly ConsumerPool.Lease _lease;
    private readonly NativeClient _client;
    private readonly QueueHandle _queue;
    private readonly TopicId _topic;
    private readonly IRecordMapping _mapping;
    private readonly MessageBuffer _messages = new();
    private readonly Arrival _arrival = new();
    private int _outages;
    private Exception? _fault;
    private bool _disposed;

    /// <summary>Starts fetching. The lease is the feed's from here on.</summary>
    public PartitionFeed(ConsumerPool.Lease lease, TopicId topic, int partition, long from, IRecordMapping mapping)
    {
        _lease = lease;
        _client = lease.Client;
        _topic = topic;
        _mapping = mapping;
        _outages = _client.Outages;
        Partition = partition;
        Position = from;
        try
        {
            _queue = QueueHandle.Create(_client.Handle);
            _arrival.Watch(_queue);
            if (LibRdKafka.ConsumeStart(_client.Topic, partition, from, _queue) != 0)
            {
                throw NativeErrors.ToException(LibRdKafka.LastError(), null);
            }
        }
        catch
        {
            _arrival.Dispose();
            _queue?.Dispose();
            _lease.Dispose();
            throw;
        }
    }

    public int Partition { get; }

    /// <summary>Everything below was taken, or is known to hold no records.</summary>
    public long Position { get; private set; }

    /// <summary>
    /// What has arrived, as one slab; null where nothing has. A hole that librdkafka has passed belongs to the slab,
    /// also if nothing else does.
    /// </summary>
    /// <param name="maxBytes">About how many bytes at most; one record is always taken.</param>
    /// <param name="upTo">Where to end; a feed that is there is done.</param>
    public Slab? Take(int maxBytes, long upTo)
    {
        if (_fault is not null)
        {
            throw _fault;
        }

        long from = Position;
        Batch batch = Collect(maxBytes, upTo);
        if (batch.To == from)
        {
            CheckClient();
            return null;
        }

        // After the records were taken out of the queue: then they are of this topic, or we know that they may not be.
        CheckTopic();
        Slab slab = ToSlab(from, batch);
        Position = batch.To;
        return slab;
    }

    /// <summary>Waits until something has arrived, or for a while. The caller looks again in both cases.</summary>
    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
        _messages.HasNext ? Task.CompletedTask : _arrival.WaitAsync(atMost, cancellationToken);

    /// <summary>Waits until librdkafka has let go of the partition.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        try
        {
            _ = LibRdKafka.ConsumeStop(_client.Topic, Partition);
            Arrival.Unwatch(_queue);
            // The messages point into what the client owns, and it does not end before they are given back.
            _messages.Dispose();
            _queue.Dispose();
        }
        finally
        {
            _arrival.Dispose();
            _lease.Dispose();
        }
    }

    private void CheckTopic()
    {
        TopicId fetched = _client.TopicId;
        if (fetched != _topic)
        {
            _lease.Spend();
            _fault = fetched.IsNone
                ? new KafkaLogException(ErrorCode.Local_State, "the client library did not say by which topic id it reads", isTransient: false)
                : new KafkaLogReplacedException(_client.TopicName, _topic, fetched);
            throw _fault;
        }
    }

    // Only where nothing arrived: while something does, the brokers are there.
    private void CheckClient()
    {
        _client.Serve();
        TopicId fetched = _client.TopicId;
        if (!fetched.IsNone && fetched != _topic)
        {
            CheckTopic();
        }

        int outages = _client.Outages;
        if (outages != _outages)
        {
            // Once for each report: librdkafka connects again by itself, and the feed goes on where it stood.
            _outages = outages;
            throw NativeErrors.ToException(_client.LastOutage!.Code, _client.LastOutage.Reason, null);
        }
    }

    private Exception Fault(NativeMessage* message)
    {
        var code = (ErrorCode)message->Error;
        string? reason = message->Payload is null ? null : Marshal.PtrToStringUTF8((nint)message->Payload, (int)message->Length);
        KafkaLogException fault = NativeErrors.ToException(code, reason, null);
        return NativeErrors.IsOutOfRange(code) ? new FeedOutOfRangeException(fault) : fault;
    }
}
