using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Clusters;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Orleans.TestingHost;

namespace ClickAggregator.Streaming.Kafka.Tests.Streams;

public class ClusterTests(KafkaServer kafka)
{
    [Fact]
    public async Task A_silo_that_comes_and_goes_every_two_seconds_under_load_costs_no_record_and_no_order()
    {
        const int partitions = 6;
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, partitions);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(
            topic, "orders", options => options.Streams.MaxSlabBytes = 4 << 10, silos: 2);
        await cluster.SpreadAsync(3, 3);
        using var load = new Load(cluster, partitions);
        using var clock = new PeriodicTimer(TimeSpan.FromSeconds(2));
        for (int round = 0; round < 4; round++)
        {
            InProcessSiloHandle third = await cluster.Cluster.StartAdditionalSiloAsync();
            await clock.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            await cluster.Cluster.StopSiloAsync(third, TestContext.Current.CancellationToken);
            await clock.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        await cluster.SpreadAsync(3, 3);
        Assert.True(load.Acknowledged > 1000, $"there was no load: {load.Acknowledged}");
        await load.EndAndVerifyAsync(topic);
    }

    [Fact]
    public async Task A_silo_that_is_killed_under_load_costs_no_record_and_no_order()
    {
        const int partitions = 4;
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, partitions);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(
            topic, "orders", options => options.Streams.MaxSlabBytes = 4 << 10, silos: 3);
        await cluster.SpreadAsync(1, 1, 2);
        using var load = new Load(cluster, partitions);
        await cluster.UntilAsync(() => load.Acknowledged > 500, () => "there is no load");
        await cluster.Cluster.KillSiloAsync(cluster.Cluster.Silos[2], TestContext.Current.CancellationToken);
        await cluster.SpreadAsync(2, 2);
        int before = load.Acknowledged;
        await cluster.UntilAsync(() => load.Acknowledged > before + 500, () => "there is no load any more");
        await load.EndAndVerifyAsync(topic);
    }
}
