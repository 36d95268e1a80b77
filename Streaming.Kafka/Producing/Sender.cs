using System.Collections.Concurrent;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka.Producing;

/// <summary>
/// One producer of the client library, and the calls whose records it has. Records are queued by one caller at a time, which
/// keeps each call's order.
/// </summary>
internal sealed class Sender : IAsyncDisposable
{
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(100);
    private readonly IProducer<byte[]?, byte[]?> _producer;
    private readonly ClientUse _use = new();
    private readonly ConcurrentDictionary<SentItems, bool> _open = new();
    private readonly KafkaStreamInstruments _instruments;
    private readonly string _topic;
    private readonly TimeSpan _requestTimeout;
    private TaskCompletionSource? _space;

    // How many partitions the client library has heard of.
    private int _known;

    public Sender(KafkaStreamOptions options, KafkaStreamInstruments instruments, ILogger logger)
    {
        _instruments = instruments;
        _topic = options.Log.Topic;
        _requestTimeout = options.Log.RequestTimeout < options.DeliveryTimeout ? options.Log.RequestTimeout : options.DeliveryTimeout;
        var voice = new ClientVoice(options.Log.Topic, logger);
        _producer = new ProducerBuilder<byte[]?, byte[]?>(ProducerSettings.Of(options))
            .SetLogHandler(voice.Log)
            .SetErrorHandler((client, error) =>
            {
                if (error.IsFatal)
                {
                    Fatal = error;
                }

                voice.Error(client, error);
            })
            .Build();
    }

    /// <summary>Why this producer cannot go on, if so.</summary>
    public Error? Fatal { get; private set; }

    /// <summary>Queues the records in their order; waits where the queue is full, for as long as the timeout says.</summary>
    public async Task<SentItems> QueueAsync(
        TopicPartition partition, IReadOnlyList<Message<byte[]?, byte[]?>> messages, CancellationToken timeout)
    {
        var sent = new SentItems(messages.Count, _instruments);
        _open[sent] = true;
        _ = ForgetAsync(sent);
        await KnowAsync(partition.Partition, timeout).ConfigureAwait(false);
        int queued = 0;
        while (queued < messages.Count)
        {
            // Before the attempt: space that comes free after it must not be missed.
            TaskCompletionSource space = Volatile.Read(ref _space) ?? NewSpace();
            Error? error = Fill(partition, messages, sent, ref queued);
            if (error?.Code == ErrorCode.Local_QueueFull)
            {
                _instruments.Waited();
                error = timeout.IsCancellationRequested
                    ? new Error(ErrorCode.Local_MsgTimedOut, "the brokers took too long, the queue was full all the time")
                    : null;
            }

            if (error is not null)
            {
                // Those that follow one that cannot be sent are not sent: they would come before it when it is sent again.
                sent.Fail(error, messages.Count - queued);
                break;
            }

            if (queued < messages.Count)
            {
                await Task.WhenAny(space.Task, Task.Delay(s_step, timeout)).ConfigureAwait(false);
            }
        }

        return sent;
    }

    /// <summary>Waits, within bounds, for what is on its way; then nobody waits for the rest.</summary>
    public ValueTask DisposeAsync() => CloseAsync(TimeSpan.FromSeconds(5));

    public async ValueTask CloseAsync(TimeSpan wait)
    {
        // Both block.
        await Task.Run(() =>
        {
            if (_use.Close())
            {
                _producer.Flush(wait);
                _producer.Dispose();
            }
        }).ConfigureAwait(false);
        foreach (SentItems sent in _open.Keys)
        {
            sent.Abandon(new Error(ErrorCode.Local_Destroy, "the producer was closed"));
        }
    }

    /// <summary>Gives the client library as many records as it takes; what was wrong with the next one, or null.</summary>
    private Error? Fill(TopicPartition partition, IReadOnlyList<Message<byte[]?, byte[]?>> messages, SentItems sent, ref int queued)
    {
        int at = queued;
        Action<DeliveryReport<byte[]?, byte[]?>> reported = report => Report(sent, report);
        try
        {
            return _use.Call<Error?>(() =>
            {
                for (; at < messages.Count; at++)
                {
                    _producer.Produce(partition, messages[at], reported);
                }

                return null;
            });
        }
        catch (ObjectDisposedException)
        {
            return new Error(ErrorCode.Local_Destroy, "the producer was closed");
        }
        catch (KafkaException fault)
        {
            if (fault.Error.IsFatal || fault.Error.Code == ErrorCode.Local_Fatal)
            {
                Fatal = fault.Error;
            }

            return fault.Error;
        }
        finally
        {
            queued = at;
        }
    }

    /// <summary>
    /// The client library asks for new partitions every five minutes, and refuses those that it does not know. Asked through
    /// its own handle, it learns of them at once.
    /// </summary>
    private async ValueTask KnowAsync(Partition partition, CancellationToken timeout)
    {
        while (partition != Partition.Any && partition.Value >= _known && !timeout.IsCancellationRequested)
        {
            try
            {
                _known = await Task.Run(() => _use.Call(Ask), CancellationToken.None).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                // Closed meanwhile: so the caller is told when he sends.
                return;
            }
            catch (KafkaException)
            {
                // The brokers are away. A partition of which nobody knows yet is kept by the library until they are back;
                // of one that is new to it the caller is told.
                return;
            }

            if (partition.Value >= _known)
            {
                // Another broker has told of it, this one has not heard of it yet.
                await Task.Delay(s_step, timeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        int Ask()
        {
            using IAdminClient admin = new DependentAdminClientBuilder(_producer.Handle).Build();
            return admin.GetMetadata(_topic, _requestTimeout).Topics[0].Partitions.Count;
        }
    }

    private TaskCompletionSource NewSpace()
    {
        var space = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _space, space, null) ?? space;
    }

    private void Report(SentItems sent, DeliveryReport<byte[]?, byte[]?> report)
    {
        if (report.Error.IsFatal)
        {
            Fatal = report.Error;
        }

        sent.Report(report);
        Interlocked.Exchange(ref _space, null)?.TrySetResult();
    }

    private async Task ForgetAsync(SentItems sent)
    {
        await sent.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _open.TryRemove(sent, out _);
    }
}
