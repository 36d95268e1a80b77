using System.Collections.Concurrent;
using System.Text;
using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Clusters;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;

namespace ClickAggregator.Streaming.Kafka.Tests.Streams;

public class ConsumingTests(KafkaServer kafka)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(123)]
    [InlineData(499)]
    public async Task A_consumer_resumes_with_the_record_behind_its_token_also_within_a_slab(int next)
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "orders");
        await cluster.Stream<Order>("orders", 0).OnNextBatchAsync(Orders(0, 500));
        await cluster.CaughtUpAsync("orders", 0, 500);
        int before = cluster.Consumption.Delivered("orders", 0).Length;

        cluster.Consumption.Store("orders", 0, next);
        await cluster.Cluster.Client.GetGrain<IOrderConsumer>(0).DeactivateAsync();
        await cluster.Stream<Order>("orders", 0).OnNextAsync(new Order(500));
        await cluster.CaughtUpAsync("orders", 0, 501);

        // Not one below, not one missing.
        Assert.Equal(Enumerable.Range(next, 501 - next), cluster.Consumption.Delivered("orders", 0)[before..].Select(seen => (int)seen.Offset));
        Assert.Empty(cluster.Consumption.Gaps("orders", 0));
    }

    [Fact]
    public async Task A_consumer_that_fails_within_a_slab_gets_the_slab_again()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "orders");
        int failed = 0;
        cluster.Consumption.BeforeItem = seen => seen.Offset == 57 && Interlocked.Increment(ref failed) == 1
            ? throw new InvalidOperationException("the store is away")
            : Task.CompletedTask;
        await cluster.Stream<Order>("orders", 0).OnNextBatchAsync(Orders(0, 100));
        await cluster.CaughtUpAsync("orders", 0, 100);
        Assert.Equal(Enumerable.Range(0, 100), cluster.Consumption.Processed("orders", 0).Select(seen => (int)seen.Offset));
        Assert.True(failed > 1);
    }

    [Fact]
    public async Task Holes_of_transactions_are_no_gaps_within_a_slab_and_nothing_to_read_between_slabs()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "bytes");
        using IProducer<byte[]?, byte[]?> producer = topic.TransactionalProducer();
        for (int round = 0; round < 6; round++)
        {
            TestTopic.Transaction(producer, topic.Partition(), 3, commit: round % 2 == 0);
        }

        // Each of the six has a marker; the last three records are aborted.
        await cluster.CaughtUpAsync("bytes", 0, 19);
        Assert.Equal([0, 1, 2, 8, 9, 10, 16, 17, 18], cluster.Consumption.Processed("bytes", 0).Select(seen => seen.Offset));
    }

    [Fact]
    public async Task Reading_starts_at_the_end_where_the_options_say_so()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await topic.AppendAsync(0, 100);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "bytes", options => options.Start = KafkaStart.Latest);
        await cluster.SpreadAsync(1);
        // Until the reader is open, "the end" is still to come.
        await cluster.UntilAsync(
            () =>
            {
                cluster.Stream<byte[]>("bytes", 0).OnNextAsync([1]).GetAwaiter().GetResult();
                return cluster.Consumption.Delivered("bytes", 0).Length > 0;
            },
            () => "nothing was delivered");
        Assert.All(cluster.Consumption.Delivered("bytes", 0), seen => Assert.True(seen.Offset >= 100));
    }

    [Fact]
    public async Task An_application_that_stores_progress_says_itself_where_reading_starts()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await topic.AppendAsync(0, 100);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(
            topic, "bytes", silo: silo => silo.Services.AddSingleton<IReaderStart>(new At(42)));
        Seen[] seen = await cluster.DeliveredAsync("bytes", 0, 58);
        Assert.Equal(42, seen[0].Offset);
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_is_skipped_counted_and_said_and_is_no_gap()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        using var unreadable = new Metric("kafka_stream_unreadable");
        await topic.AppendAsync(0, new[] { "{}", "{", """{"Number":2}""", "null", "", """{"Number":5}""", "x" }.Select(Message));
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "orders");
        await cluster.CaughtUpAsync("orders", 0, 7);
        Assert.Equal([0, 2, 5], cluster.Consumption.Processed("orders", 0).Select(seen => seen.Offset));
        Assert.Empty(cluster.Consumption.Gaps("orders", 0));
        Assert.True(unreadable.Total >= 4);
        await cluster.UntilAsync(
            () => cluster.Messages.Lines.Any(line => line.Contains("4 records of partition 0, from offset 1 on, could not be read as", StringComparison.Ordinal)),
            () => "nothing was said");
    }

    [Fact]
    public async Task A_handler_gets_what_cannot_be_read_and_may_let_the_delivery_fail()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        var put = new ConcurrentQueue<UnreadableRecord>();
        await topic.AppendAsync(0, new[] { """{"Number":0}""", "{", """{"Number":2}""" }.Select(Message));
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "orders", options =>
        {
            options.OnUnreadable = record =>
            {
                put.Enqueue(record);
                return put.Count < 3 ? UnreadableAction.Fail : UnreadableAction.Skip;
            };
        });
        await cluster.Stream<Order>("orders", 0).OnNextAsync(new Order(3));
        await cluster.CaughtUpAsync("orders", 0, 4);
        Assert.Equal([0, 2, 3], cluster.Consumption.Processed("orders", 0).Select(seen => ((Order)seen.Item).Number));
        UnreadableRecord first = put.First();
        Assert.Equal(("kafka", 0, 1L, "{", typeof(Order)), (first.Provider, first.Partition, first.Offset, Encoding.UTF8.GetString(first.Bytes), first.Asked));
        Assert.NotNull(first.Fault);
        Assert.True(first.Timestamp > 0);
    }

    [Fact]
    public async Task Messages_from_a_provider_that_keeps_only_values_are_a_clear_error()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "messages");
        await cluster.Stream<byte[]>("messages", 0).OnNextAsync([1]);
        await cluster.UntilAsync(
            () => cluster.Messages.Lines.Any(line => line.Contains("set KafkaStreamOptions.Mapping to KafkaMessageMapping.Instance", StringComparison.Ordinal)),
            () => "nothing was said");
        Assert.Empty(cluster.Consumption.Delivered("messages", 0));
    }

    [Fact]
    public async Task A_consumer_that_stands_still_longer_than_it_is_tried_finds_what_it_missed()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka);
        var goOn = new TaskCompletionSource();
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(
            topic,
            "orders",
            options =>
            {
                options.Streams.MaxDeliveryTime = TimeSpan.FromSeconds(1);
                options.Streams.MaxSlabBytes = 1 << 10;
            },
            silo: silo => silo.Configure<SiloMessagingOptions>(messaging =>
            {
                messaging.ResponseTimeout = TimeSpan.FromSeconds(1);
                messaging.SystemResponseTimeout = TimeSpan.FromSeconds(1);
            }));
        cluster.Consumption.BeforeItem = seen => seen.Offset == 3 ? goOn.Task : Task.CompletedTask;
        await cluster.Stream<Order>("orders", 0).OnNextBatchAsync(Orders(0, 200));
        await cluster.UntilAsync(
            () => cluster.Messages.Lines.Count(line => line.Contains("StreamEventDeliveryFailure", StringComparison.Ordinal)
                || line.Contains("Failed to deliver", StringComparison.OrdinalIgnoreCase)) > 2,
            () => "no delivery was given up");
        goOn.SetResult();
        await cluster.Stream<Order>("orders", 0).OnNextAsync(new Order(200));
        await cluster.CaughtUpAsync("orders", 0, 201);
        Assert.Equal(Enumerable.Range(0, 201), cluster.Consumption.Processed("orders", 0).Select(seen => (int)seen.Offset));
    }

    [Fact]
    public async Task Partitions_that_are_added_are_written_and_read_without_a_restart()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, 1);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(topic, "orders", silos: 2);
        await cluster.Stream<Order>("orders", 0).OnNextAsync(new Order(0));
        await cluster.CaughtUpAsync("orders", 0, 1);
        await topic.Admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic.Name, IncreaseTo = 4 }]);
        await Following.UntilAsync(async () =>
        {
            try
            {
                await cluster.Stream<Order>("orders", 3).OnNextAsync(new Order(3));
                return true;
            }
            catch (ArgumentException)
            {
                // Not every broker's view has them at once.
                return false;
            }
        });
        await cluster.CaughtUpAsync("orders", 3, 1);
        await cluster.SpreadAsync(2, 2);
    }

    [Fact]
    public async Task Two_providers_in_a_silo_have_nothing_to_do_with_each_other()
    {
        await using TestTopic orders = await TestTopic.CreateAsync(kafka);
        await using TestTopic bytes = await TestTopic.CreateAsync(kafka, 2);
        await using KafkaCluster cluster = await KafkaCluster.StartAsync(
            1, null, ("a", KafkaCluster.Over(orders, "orders")), ("b", KafkaCluster.Over(bytes, "bytes")));
        await cluster.Stream<Order>("orders", 0, "a").OnNextAsync(new Order(7));
        await cluster.Stream<byte[]>("bytes", 1, "b").OnNextAsync([8]);
        await cluster.Producer.ProduceAsync("b", Orleans.Runtime.StreamId.Create("bytes", 1), [[9]]);
        Assert.Equal(new Order(7), Assert.Single(await cluster.DeliveredAsync("orders", 0, 1)).Item);
        Assert.Equal([[8], [9]], (await cluster.DeliveredAsync("bytes", 1, 2)).Select(seen => (byte[])seen.Item));
        await Assert.ThrowsAsync<ArgumentException>(() => cluster.Stream<Order>("orders", 0, "b").OnNextAsync(new Order(1)));
    }

    private static IEnumerable<Order> Orders(int from, int count) => Enumerable.Range(from, count).Select(n => new Order(n, "some text"));

    private static Message<byte[]?, byte[]?> Message(string value) => new() { Value = Encoding.UTF8.GetBytes(value) };

    private sealed class At(long offset) : IReaderStart
    {
        public ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken) => new(offset);
    }
}
