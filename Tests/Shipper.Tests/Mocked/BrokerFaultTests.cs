using Confluent.Kafka;

namespace ClickAggregator.Shipper.Tests.Mocked;

/// <summary>Answers that a healthy broker does not give on demand: whatever they are, no click is skipped, and none comes twice.</summary>
public class BrokerFaultTests(ITestOutputHelper output)
{
    private const int Partitions = 4;
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Acknowledgements_that_are_lost_repeat_nothing()
    {
        await using Mocked mocked = await Mocked.StartAsync();
        await mocked.ShipAsync(500);
        // Longer than the client waits: it sends again what was taken, under the same sequence.
        mocked.Cluster.DelayAnswers(TimeSpan.FromMilliseconds(1_600));
        await mocked.Log.AppendAsync(500);
        await mocked.Log.Logs.UntilAsync("timed out");
        int sent = mocked.Cluster.Requests(MockCluster.Produce);
        mocked.Cluster.DelayAnswers(TimeSpan.Zero);
        await mocked.ShippedAsync();
        output.WriteLine(string.Join('\n', mocked.Log.Logs.Lines));
        Assert.True(mocked.Cluster.Requests(MockCluster.Produce) > sent, "nothing was sent again");

        await mocked.AssertEachOnceAsync();
    }

    [Fact]
    public Task Produce_requests_that_fail_are_sent_again() => RefusedAsync(
        MockCluster.Produce,
        ErrorCode.NotLeaderForPartition, ErrorCode.LeaderNotAvailable, ErrorCode.RequestTimedOut, ErrorCode.NotEnoughReplicas,
        ErrorCode.NotEnoughReplicasAfterAppend, MockCluster.Cut);

    [Fact]
    public async Task Leaders_that_move_while_clicks_are_shipped_cost_nothing()
    {
        await using Mocked mocked = await Mocked.StartAsync();
        for (int round = 0; round < 9; round++)
        {
            for (int partition = 0; partition < Partitions; partition++)
            {
                mocked.Cluster.MoveLeader(mocked.Log.Options.Topic, partition, 1 + ((round + partition) % 3));
            }

            await mocked.ShipAsync(100);
        }

        await mocked.AssertEachOnceAsync();
    }

    [Fact]
    public async Task A_coordinator_that_moves_is_found_again()
    {
        await using Mocked mocked = await Mocked.StartAsync();
        for (int round = 0; round < 6; round++)
        {
            mocked.Cluster.MoveCoordinator("click-log-" + mocked.Log.Log.LogId, 1 + (round % 3));
            await mocked.ShipAsync(100);
        }

        await mocked.AssertEachOnceAsync();
    }

    [Fact]
    public Task A_coordinator_that_does_not_take_a_partition_is_asked_again() => RefusedAsync(
        MockCluster.AddPartitionsToTransaction, ErrorCode.NotCoordinatorForGroup, ErrorCode.ConcurrentTransactions, ErrorCode.GroupLoadInProgress, MockCluster.Cut);

    [Fact]
    public Task A_coordinator_that_does_not_end_a_transaction_is_asked_again() => RefusedAsync(
        MockCluster.EndTransaction,
        ErrorCode.NotCoordinatorForGroup, ErrorCode.GroupCoordinatorNotAvailable, ErrorCode.GroupLoadInProgress, ErrorCode.ConcurrentTransactions, MockCluster.Cut);

    [Fact]
    public Task Fenced_by_nobody_who_named_itself_it_begins_again_from_what_is_committed() => RefusedAsync(
        MockCluster.EndTransaction, ErrorCode.ProducerFenced, ErrorCode.InvalidProducerEpoch);

    [Fact]
    public async Task Slow_brokers_cost_time_and_nothing_else()
    {
        await using Mocked mocked = await Mocked.StartAsync();
        mocked.Cluster.DelayAnswers(TimeSpan.FromMilliseconds(200));
        for (int round = 0; round < 2; round++)
        {
            await mocked.ShipAsync(1000);
        }

        await mocked.AssertEachOnceAsync();
    }

    /// <summary>Ships while requests of a kind are refused with one error after the other.</summary>
    private static async Task RefusedAsync(short request, params ErrorCode[] errors)
    {
        await using Mocked mocked = await Mocked.StartAsync();
        await mocked.ShipAsync(100);
        foreach (ErrorCode error in errors)
        {
            int before = mocked.Cluster.Requests(request);
            mocked.Cluster.Fail(request, error);
            await mocked.ShipAsync(100);
            Assert.True(mocked.Cluster.Requests(request) - before > 1, $"{error} was never given");
        }

        Assert.Equal(ShipState.Shipping, mocked.Shipper.Status.State);
        await mocked.AssertEachOnceAsync();
    }

    /// <summary>A click log, three brokers and a shipper between them.</summary>
    private sealed class Mocked : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _ended;

        private Mocked(MockCluster cluster, ShippedLog log)
        {
            Cluster = cluster;
            Log = log;
            Shipper = log.NewShipper();
            _ended = Shipper.RunAsync(_stop.Token);
        }

        public MockCluster Cluster { get; }

        public ShippedLog Log { get; }

        public LogShipper Shipper { get; }

        public static async Task<Mocked> StartAsync()
        {
            var cluster = new MockCluster(brokers: 3);
            ShippedLog log = await ShippedLog.OpenAsync(cluster.BootstrapServers, Partitions);
            log.Options = log.Options with
            {
                TopicsAreThere = true,
                Client = new Dictionary<string, string>
                {
                    ["socket.timeout.ms"] = "1000",
                    ["retry.backoff.ms"] = "50",
                    ["reconnect.backoff.ms"] = "20",
                    ["reconnect.backoff.max.ms"] = "100",
                },
            };
            cluster.CreateTopic(log.Options.Topic, Partitions);
            cluster.CreateTopic(log.Options.PositionsTopicOrDefault, 1);
            return new Mocked(cluster, log);
        }

        public async Task ShipAsync(int clicks)
        {
            await Log.AppendAsync(clicks);
            await ShippedAsync();
        }

        public async Task ShippedAsync()
        {
            using var patience = new CancellationTokenSource(s_deadline);
            await Shipper.ShippedAsync(patience.Token);
        }

        public async Task AssertEachOnceAsync()
        {
            using var reader = new TopicReader(Log.Options.BootstrapServers, Log.Options.Topic, Partitions);
            await reader.UntilAsync(Log.Sent.Count());
            Assert.Equal(Log.Sent, reader.Records.Select(record => ShippedLog.IdOf(record.Message.Value)).Order(StringComparer.Ordinal));
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _ended;
            Shipper.Dispose();
            await Log.DisposeAsync();
            Cluster.Dispose();
        }
    }
}
