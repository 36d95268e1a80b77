using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Streaming;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo.Kafka;

/// <summary>
/// A topic as the replay log: made where it is missing, and made again where it was deleted. The clicks of a chain go to one partition,
/// and those of others and of other tries may lie between them. The topic forgets by its retention.
/// </summary>
/// <param name="topic">The topic, and what it gets when it is made.</param>
/// <param name="time">The clock for timeouts.</param>
/// <param name="loggers">Where the clients say what happens.</param>
internal sealed class KafkaReplayLog(KafkaLogOptions topic, TimeProvider time, ILoggerFactory loggers) : IReplayLog, IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private Session? _session;

    public async Task<IReplayStretch> OpenAsync(int chain, CancellationToken cancellationToken)
    {
        Session session = await SessionAsync(cancellationToken);
        try
        {
            int partition = chain % await session.Log.GetPartitionCountAsync(cancellationToken);
            LogRange range = await session.Log.GetRangeAsync(partition, cancellationToken);
            return new Stretch(this, session, partition, range.End);
        }
        catch (Exception error)
        {
            await LeaveAsync(session, broken: true);
            if (error is KafkaLogException)
            {
                throw Unavailable(error);
            }

            throw;
        }
    }

    /// <summary>Stretches that are still open keep their clients until they are closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            Session? session = _session;
            _session = null;
            if (session?.Users == 0)
            {
                await session.DisposeAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The clients of now; new ones where the last ones failed, since the topic may be another one.</summary>
    private async Task<Session> SessionAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_session is null)
            {
                await KafkaTopics.EnsureAsync(topic, loggers, time, cancellationToken);
                _session = new Session(topic, time, loggers);
            }

            _session.Users++;
            return _session;
        }
        catch (KafkaLogException error)
        {
            throw Unavailable(error);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task LeaveAsync(Session session, bool broken)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            if (broken && _session == session)
            {
                _session = null;
            }

            session.Users--;
            if (session.Users == 0 && _session != session)
            {
                await session.DisposeAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private ReplayUnavailableException Unavailable(Exception error) => new($"the replay log, topic '{topic.Topic}': {error.Message}", error);

    private sealed class Session(KafkaLogOptions topic, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
    {
        public KafkaPartitionLog Log { get; } = new(topic, ReplayHeaders.Instance, time, loggers);

        public IProducer<Null, byte[]> Producer { get; } = new ProducerBuilder<Null, byte[]>(new ProducerConfig(Settings(topic))
        {
            BootstrapServers = topic.BootstrapServers,
            EnableIdempotence = true,
            MessageTimeoutMs = 30_000, // the run says what it waits for, and tries again
            AllowAutoCreateTopics = false,
        }).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();

        public int Users { get; set; }

        public async ValueTask DisposeAsync()
        {
            await Log.DisposeAsync();
            await Task.Run(Producer.Dispose);
        }

        // What somebody set for his clients comes before what is only better here.
        private static Dictionary<string, string> Settings(KafkaLogOptions topic)
        {
            var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["linger.ms"] = "5", ["compression.type"] = "lz4" };
            foreach ((string name, string value) in topic.Client)
            {
                settings[name] = value;
            }

            return settings;
        }
    }

    private sealed class Stretch(KafkaReplayLog owner, Session session, int partition, long start) : IReplayStretch
    {
        private static readonly TimeSpan s_full = TimeSpan.FromMilliseconds(20);
        private readonly TopicPartition _to = new(owner.Topic, partition);
        private long? _end;
        private bool _broken;

        public async Task AppendAsync(ReplayRecords records, CancellationToken cancellationToken)
        {
            var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            int left = records.Count;
            long end = _end ?? start;
            for (int n = 0; n < records.Count;)
            {
                try
                {
                    session.Producer.Produce(_to, ReplayHeaders.MessageOf(records[n]), Report);
                    n++;
                }
                catch (ProduceException<Null, byte[]> full) when (full.Error.Code == Confluent.Kafka.ErrorCode.Local_QueueFull)
                {
                    await Task.Delay(s_full, cancellationToken);
                }
                catch (ProduceException<Null, byte[]> error)
                {
                    throw Failed(error);
                }
            }

            try
            {
                await answer.Task.WaitAsync(cancellationToken);
            }
            catch (KafkaException error)
            {
                throw Failed(error);
            }

            _end = Interlocked.Read(ref end);

            // Called by one thread of the client library.
            void Report(DeliveryReport<Null, byte[]> report)
            {
                if (report.Error.IsError)
                {
                    answer.TrySetException(new KafkaException(report.Error));
                    return;
                }

                if (report.Offset.Value >= end)
                {
                    Interlocked.Exchange(ref end, report.Offset.Value + 1);
                }

                if (Interlocked.Decrement(ref left) == 0)
                {
                    answer.TrySetResult();
                }
            }
        }

        public async IAsyncEnumerable<Slab> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await using IAsyncEnumerator<Slab> slabs = session.Log.ReadAsync(partition, start, _end ?? start, cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await slabs.MoveNextAsync())
                    {
                        yield break;
                    }
                }
                catch (Exception error) when (error is KafkaLogException or OffsetOutOfRangeException)
                {
                    throw Failed(error);
                }

                yield return slabs.Current;
            }
        }

        public async ValueTask DisposeAsync() => await owner.LeaveAsync(session, _broken);

        private ReplayUnavailableException Failed(Exception error)
        {
            _broken = true;
            return owner.Unavailable(error);
        }
    }

    private string Topic => topic.Topic;
}
