using System.Diagnostics;
using ClickAggregator.Streaming.Kafka.Native;
using ClickAggregator.Streaming.Kafka.Reading;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Streaming.Kafka.Tests.Reading;

/// <summary>
/// Errors of the fetching that a healthy broker does not give on demand, from librdkafka's mock cluster. It has no
/// controller, which questions about topics wait for: so it is read without a <see cref="KafkaPartitionLog"/>.
/// </summary>
public class InjectedErrorTests
{
    private const string Topic = "mocked";
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Errors_of_leaders_that_move_lose_and_repeat_nothing()
    {
        await using var mocked = await Mocked.StartAsync(brokers: 3);
        await mocked.AppendAsync(100);
        List<long> offsets = await mocked.ReadUntilAsync(100);
        foreach (ErrorCode error in new[]
        {
            ErrorCode.NotLeaderForPartition, ErrorCode.LeaderNotAvailable, ErrorCode.KafkaStorageError, ErrorCode.UnknownLeaderEpoch,
            ErrorCode.FencedLeaderEpoch, ErrorCode.OffsetNotAvailable, ErrorCode.ReplicaNotAvailable, ErrorCode.UnknownTopicOrPart,
        })
        {
            mocked.Cluster.Fail(MockCluster.Fetch, error, error);
            await mocked.AppendAsync(10);
            offsets.AddRange(await mocked.ReadUntilAsync(mocked.Feed.Position + 10));
        }

        Assert.Equal(Enumerable.Range(0, 180).Select(n => (long)n), offsets);
    }

    [Fact]
    public async Task A_leader_that_moves_is_followed()
    {
        await using var mocked = await Mocked.StartAsync(brokers: 3);
        var offsets = new List<long>();
        for (int round = 0; round < 6; round++)
        {
            mocked.Cluster.MoveLeader(Topic, 0, 1 + (round % 3));
            await mocked.AppendAsync(20);
            offsets.AddRange(await mocked.ReadUntilAsync(mocked.Feed.Position + 20));
        }

        Assert.Equal(Enumerable.Range(0, 120).Select(n => (long)n), offsets);
    }

    [Fact]
    public async Task What_nobody_but_an_operator_can_change_is_no_transient_error()
    {
        await using var mocked = await Mocked.StartAsync(brokers: 1);
        await mocked.AppendAsync(10);
        await mocked.ReadUntilAsync(10);
        FailLastingly(mocked, ErrorCode.TopicAuthorizationFailed);
        var fault = await mocked.UntilItThrowsAsync<KafkaLogException>();

        Assert.Equal((ErrorCode.TopicAuthorizationFailed, false), (fault.Code, fault.IsTransient));
        // What has failed stays failed: whoever goes on does so with a new reader, from where this one stood.
        Assert.Same(fault, Assert.Throws<KafkaLogException>(() => mocked.Feed.Take(1 << 20, long.MaxValue)));
    }

    [Fact]
    public async Task An_offset_that_is_refused_is_an_error_and_never_a_jump()
    {
        await using var mocked = await Mocked.StartAsync(brokers: 1);
        await mocked.AppendAsync(10);
        await mocked.ReadUntilAsync(10);
        FailLastingly(mocked, ErrorCode.OffsetOutOfRange);
        await mocked.UntilItThrowsAsync<FeedOutOfRangeException>();

        await mocked.AppendAsync(10);
        Assert.Throws<FeedOutOfRangeException>(() => mocked.Feed.Take(1 << 20, long.MaxValue));
        Assert.Equal(10, mocked.Feed.Position);
    }

    // librdkafka takes an answer for the end of the partition, whatever its error, when it did not know of that end yet.
    private static void FailLastingly(Mocked mocked, ErrorCode error) => mocked.Cluster.Fail(MockCluster.Fetch, error, error, error);

    private sealed class Mocked : IAsyncDisposable
    {
        private readonly ConsumerPool _pool;
        private readonly IProducer<Null, byte[]> _producer;

        private Mocked(int brokers)
        {
            Cluster = new MockCluster(brokers);
            Cluster.CreateTopic(Topic, 1);
            var options = new KafkaLogOptions { BootstrapServers = Cluster.BootstrapServers, Topic = Topic };
            _pool = new ConsumerPool(
                () => new NativeClient(Topic, ClientSettings.ForReading(options, options.FetchWait), new SeldomSaid(TimeProvider.System), NullLogger.Instance),
                options.KeepClients, TimeProvider.System, NullLogger.Instance);
            _producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = Cluster.BootstrapServers })
                .SetLogHandler((_, _) => { }).Build();
        }

        public MockCluster Cluster { get; }

        public PartitionFeed Feed { get; private set; } = null!;

        public static async Task<Mocked> StartAsync(int brokers)
        {
            var mocked = new Mocked(brokers);
            // The id of the topic is what its first reader learns.
            ConsumerPool.Lease lease = mocked._pool.Rent(0);
            using (var first = new PartitionFeed(lease, default, 0, 0, RecordValueMapping.Instance))
            {
                await Following.UntilAsync(() => Task.FromResult(!lease.Client.TopicId.IsNone));
            }

            lease = mocked._pool.Rent(0);
            mocked.Feed = new PartitionFeed(lease, lease.Client.TopicId, 0, 0, RecordValueMapping.Instance);
            return mocked;
        }

        public async Task AppendAsync(int records) => await Task.WhenAll(Enumerable.Range(0, records)
            .Select(_ => _producer.ProduceAsync(new TopicPartition(Topic, 0), new Message<Null, byte[]> { Value = new byte[100] })).ToArray());

        public async Task<List<long>> ReadUntilAsync(long position)
        {
            var offsets = new List<long>();
            long started = Stopwatch.GetTimestamp();
            while (Feed.Position < position)
            {
                Assert.True(Stopwatch.GetElapsedTime(started) < s_deadline, $"it stands at {Feed.Position}");
                if (Feed.Take(1 << 20, long.MaxValue) is { } slab)
                {
                    offsets.AddRange(slab.Records.ToArray().Select(record => record.Offset));
                    slab.Release();
                }
                else
                {
                    await Feed.WaitAsync(TimeSpan.FromMilliseconds(100), CancellationToken.None);
                }
            }

            return offsets;
        }

        public async Task<TException> UntilItThrowsAsync<TException>() where TException : Exception
        {
            long started = Stopwatch.GetTimestamp();
            while (true)
            {
                Assert.True(Stopwatch.GetElapsedTime(started) < s_deadline, "it never threw");
                try
                {
                    Feed.Take(1 << 20, long.MaxValue)?.Release();
                    await Feed.WaitAsync(TimeSpan.FromMilliseconds(100), CancellationToken.None);
                }
                catch (TException fault)
                {
                    return fault;
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            Feed.Dispose();
            _producer.Dispose();
            await _pool.DisposeAsync();
            Cluster.Dispose();
        }
    }
}
