using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace ClickAggregator.Streaming.Kafka.Producing;

/// <summary>Writes the items of one provider to its topic.</summary>
/// <remarks>Nothing here comes back to the caller's scheduler: a grain that stands still must not hold up the others.</remarks>
internal sealed class RecordWriter(
    string provider, KafkaStreamOptions options, EnsuredTopic topic, TimeProvider time, ILogger<RecordWriter> logger)
    : IItemWriter, IAsyncDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);
    private readonly KafkaStreamInstruments _instruments = new(provider);

    // Whoever queues records; the others wait in the order in which they came.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private Sender? _sender;
    private volatile int _partitions;
    private bool _disposed;

    public Task WriteAsync<T>(StreamId stream, IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        StreamTarget target = StreamTarget.Of(stream, provider, options.Streams.Namespace);
        // All of them first: an item that cannot be written is the caller's error, and then nothing is.
        Message<byte[]?, byte[]?>[] messages = [.. items.Select(item => MessageOf(item, target.Key))];
        return messages.Length == 0 ? Task.CompletedTask : WriteAsync(stream, target, messages);
    }

    public async ValueTask DisposeAsync()
    {
        Sender? sender;
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            (_disposed, sender, _sender) = (true, _sender, null);
        }
        finally
        {
            _turn.Release();
        }

        if (sender is not null)
        {
            await sender.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(StreamId stream, StreamTarget target, Message<byte[]?, byte[]?>[] messages)
    {
        using var timeout = new CancellationTokenSource(options.DeliveryTimeout, time);
        SentItems sent;
        try
        {
            // Before anything else is waited for: the order of the calls is that of the records.
            await _turn.WaitAsync(timeout.Token).ConfigureAwait(false);
            try
            {
                await RequirePartitionAsync(stream, target, messages.Length, timeout.Token).ConfigureAwait(false);
                var partition = new TopicPartition(options.Log.Topic, target.Partition ?? Partition.Any);
                sent = await CurrentSender().QueueAsync(partition, messages, timeout.Token).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            throw NotSent(messages.Length, ErrorCode.Local_MsgTimedOut, $"nothing could be sent within {options.DeliveryTimeout}", isTransient: true);
        }

        await sent.Task.ConfigureAwait(false);
    }

    /// <summary>Asks for the partitions only when one is named that is not known: they become more, never fewer.</summary>
    private async ValueTask RequirePartitionAsync(StreamId stream, StreamTarget target, int items, CancellationToken timeout)
    {
        while (_partitions <= (target.Partition ?? 0))
        {
            try
            {
                _partitions = await topic.GetPartitionCountAsync(timeout).ConfigureAwait(false);
                if (_partitions <= (target.Partition ?? 0))
                {
                    throw new ArgumentException($"stream {stream} of provider '{provider}' is none of the {_partitions} partitions", nameof(stream));
                }
            }
            catch (KafkaLogException fault) when (!fault.IsTransient)
            {
                throw NotSent(items, fault.Code, fault.Reason, isTransient: false);
            }
            catch (KafkaLogException fault)
            {
                try
                {
                    await Task.Delay(s_look, time, timeout).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    throw NotSent(items, ErrorCode.Local_MsgTimedOut, $"nothing could be sent within {options.DeliveryTimeout}: {fault.Reason}", isTransient: true);
                }
            }
        }
    }

    private Sender CurrentSender()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_sender is { Fatal: { } fatal } broken)
        {
            KafkaEvents.ProducerReplaced(logger, provider, NativeErrors.ToException(fatal.Code, fatal.Reason, null));
            _sender = null;
            // Its own calls end with it; nobody else has to wait for that.
            _ = broken.CloseAsync(TimeSpan.FromSeconds(5)).AsTask();
        }

        return _sender ??= new Sender(options, _instruments, logger);
    }

    private Message<byte[]?, byte[]?> MessageOf<T>(T item, byte[]? key) => item switch
    {
        null => throw new ArgumentException("an item is null: a record without a value is a KafkaMessage without one", nameof(item)),
        KafkaMessage message => new Message<byte[]?, byte[]?> { Key = message.Key ?? key, Value = message.Value, Headers = HeadersOf(message) },
        byte[] bytes => new Message<byte[]?, byte[]?> { Key = key, Value = bytes },
        ReadOnlyMemory<byte> bytes => new Message<byte[]?, byte[]?> { Key = key, Value = bytes.ToArray() },
        Slab => throw new ArgumentException("a slab is how records come, not how they go: produce its records", nameof(item)),
        _ => new Message<byte[]?, byte[]?> { Key = key, Value = options.Serializer.Serialize(item) },
    };

    private static Headers? HeadersOf(KafkaMessage message)
    {
        if (message.Headers is not { Count: > 0 } all)
        {
            return null;
        }

        var headers = new Headers();
        foreach (KafkaHeader header in all)
        {
            headers.Add(header.Name, header.Value);
        }

        return headers;
    }

    // Without the fault itself: it may hold one of the client library's, which cannot travel from a grain to its caller.
    private KafkaProduceException NotSent(int items, ErrorCode code, string reason, bool isTransient)
    {
        _instruments.Failed(items);
        return new KafkaProduceException(code, reason, isTransient, 0, items);
    }
}
