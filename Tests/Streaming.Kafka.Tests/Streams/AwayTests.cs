using System.Diagnostics;
using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Clusters;
using ClickAggregator.Streaming.Kafka.Tests.Servers;

namespace ClickAggregator.Streaming.Kafka.Tests.Streams;

/// <summary>Brokers of its own that go and come back.</summary>
public class AwayTests
{
    [Fact]
    public async Task Silo_and_client_start_without_brokers_and_the_topic_is_made_when_they_come()
    {
        await using ServerScript script = await StartAsync();
        await script.StopKafkaAsync();
        await using TestTopic topic = Topic(script);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "orders");
        await cluster.UntilAsync(
            () => cluster.Messages.Lines.Any(line => line.Contains("does not say how many partitions", StringComparison.Ordinal)),
            () => "nothing was said");

        // What is produced meanwhile waits for them.
        Task waiting = cluster.Stream<Order>("orders", 0).OnNextAsync(new Order(1));
        await script.StartKafkaAsync();
        await waiting;
        Assert.Equal(new Order(1), (await cluster.DeliveredAsync("orders", 0, 1))[0].Item);
    }

    [Fact]
    public async Task Brokers_that_stop_and_start_under_load_cost_no_record_and_no_order()
    {
        await using ServerScript script = await StartAsync();
        await using TestTopic topic = Topic(script);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(
            topic, "orders", options => options.DeliveryTimeout = TimeSpan.FromSeconds(2), silos: 2);
        using var load = new Load(cluster, topic.Options.Partitions);
        await cluster.UntilAsync(() => load.Acknowledged > 300, () => "there is no load");
        await script.StopKafkaAsync();
        await cluster.UntilAsync(() => load.Failures > 0, () => "nobody noticed");
        await script.StartKafkaAsync();
        int before = load.Acknowledged;
        await cluster.UntilAsync(() => load.Acknowledged > before + 300, () => "there is no load any more");
        await load.EndAndVerifyAsync(topic);
    }

    [Fact]
    public async Task Producing_while_the_brokers_are_away_for_longer_than_it_may_take_says_so()
    {
        await using ServerScript script = await StartAsync();
        await using TestTopic topic = Topic(script);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(
            topic, "orders", options => options.DeliveryTimeout = TimeSpan.FromSeconds(3));
        await cluster.Stream<Order>("orders", 0).OnNextAsync(new Order(1));
        await script.StopKafkaAsync();
        long started = Stopwatch.GetTimestamp();
        var fault = await Assert.ThrowsAsync<KafkaProduceException>(
            () => cluster.Stream<Order>("orders", 0).OnNextBatchAsync([new Order(2), new Order(3)]));
        Assert.Equal((ErrorCode.Local_MsgTimedOut, 0, 2, true), (fault.Code, fault.Acknowledged, fault.Items, fault.IsTransient));
        Assert.Contains("2 of 2 items were not acknowledged, and may be in the topic all the same", fault.Message, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(15));
        // It comes back from a silo as what it is.
        await Assert.ThrowsAsync<KafkaProduceException>(() => cluster.Producer.ProduceAsync(
            KafkaCluster.Provider, Orleans.Runtime.StreamId.Create("orders", 0), new[] { new Order(4) }));

        // So that the topic can be removed.
        await script.StartKafkaAsync();
    }

    private static async Task<ServerScript> StartAsync()
    {
        ServerScript? script = ServerScript.New();
        Assert.SkipWhen(script is null, "needs a broker that it may stop: the servers script");
        await script!.StartKafkaAsync();
        return script;
    }

    private static TestTopic Topic(ServerScript script) => TestTopic.Existing(new KafkaLogOptions
    {
        BootstrapServers = script.Kafka,
        Topic = $"away-{Guid.NewGuid():N}",
        Partitions = 2,
    });
}
