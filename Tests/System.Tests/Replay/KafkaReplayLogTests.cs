using System.Text;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Servers;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.SystemTests.Replay;

/// <summary>A topic of a real broker.</summary>
public class KafkaReplayLogTests(KafkaServer kafka) : ReplayLogContract
{
    protected override async Task<ILogUnderTest> OpenAsync() => new UnderTest(await TopicAsync());

    [Fact]
    public async Task Headers_say_where_the_click_was_first_and_the_topic_is_made_as_the_log_needs_it()
    {
        KafkaLogOptions topic = await TopicAsync();
        await using var log = new KafkaReplayLog(topic, TimeProvider.System, NullLoggerFactory.Instance);
        await using IReplayStretch stretch = await log.OpenAsync(6, CancellationToken.None);
        Guid id = Guid.NewGuid();
        await stretch.AppendAsync(Some(id, 6, 5, 1), CancellationToken.None);
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = topic.BootstrapServers, GroupId = "none" }).Build();
        consumer.Assign(new TopicPartitionOffset(topic.Topic, 2, Offset.Beginning));
        ConsumeResult<byte[], byte[]> record = consumer.Consume(TimeSpan.FromSeconds(30));
        Assert.Equal(
            [$"replay={id:N}", "run=17", "chain=6", "hour=498720", "partition=2", "offset=1005", "timestamp=1795000000005", "taken=0"],
            record.Message.Headers.Select(header => $"{header.Key}={Encoding.ASCII.GetString(header.GetValueBytes())}"));
        using IAdminClient admin = Admin(topic);
        Assert.Equal(4, admin.GetMetadata(topic.Topic, TimeSpan.FromSeconds(20)).Topics[0].Partitions.Count);
        DescribeConfigsResult configs = (await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic.Topic }]))[0];
        Assert.Equal("3600000", configs.Entries["retention.ms"].Value);
    }

    [Fact]
    public async Task Records_of_other_producers_between_ours_are_no_records_of_ours()
    {
        KafkaLogOptions topic = await TopicAsync();
        await using var log = new KafkaReplayLog(topic, TimeProvider.System, NullLoggerFactory.Instance);
        await using IReplayStretch stretch = await log.OpenAsync(0, CancellationToken.None);
        Guid id = Guid.NewGuid();
        ReplayRecords first = Some(id, 0, 0, 10);
        await stretch.AppendAsync(first, CancellationToken.None);
        using (IProducer<Null, byte[]?> other = new ProducerBuilder<Null, byte[]?>(new ProducerConfig { BootstrapServers = topic.BootstrapServers }).Build())
        {
            Headers ours = ReplayHeaders.MessageOf(Some(id, 0, 99, 1)[0]).Headers;
            Headers[] headers = [[], [new Header("offset", "5"u8.ToArray())], [new Header("replay", "x"u8.ToArray())], [.. ours.Take(5)], [.. ours.Take(7), new Header("taken", "yes"u8.ToArray())], [.. ours.Reverse()]];
            foreach (Headers some in headers)
            {
                await other.ProduceAsync(new TopicPartition(topic.Topic, 0), new Message<Null, byte[]?> { Value = [1, 2, 3], Headers = some });
                await other.ProduceAsync(new TopicPartition(topic.Topic, 0), new Message<Null, byte[]?> { Value = null, Headers = some });
            }
        }

        ReplayRecords second = Some(id, 0, 10, 10);
        await stretch.AppendAsync(second, CancellationToken.None);
        Assert.Equal(Bytes(first).Concat(Bytes(second)), Of(id, await ReadAsync(stretch)));
    }

    [Fact]
    public async Task A_record_that_is_too_large_for_the_topic_is_refused_and_the_log_goes_on()
    {
        KafkaLogOptions topic = await TopicAsync();
        await using var log = new KafkaReplayLog(topic, TimeProvider.System, NullLoggerFactory.Instance);
        await (await log.OpenAsync(0, CancellationToken.None)).DisposeAsync();
        await SetAsync(topic, "200");
        await using (IReplayStretch stretch = await log.OpenAsync(0, CancellationToken.None))
        {
            ReplayUnavailableException refused = await Assert.ThrowsAsync<ReplayUnavailableException>(() => stretch.AppendAsync(Some(Guid.NewGuid(), 0, 0, 100), CancellationToken.None));
            Assert.Contains($"topic '{topic.Topic}'", refused.Message, StringComparison.Ordinal);
        }

        await SetAsync(topic, "1000000");
        await using IReplayStretch next = await log.OpenAsync(0, CancellationToken.None);
        Guid id = Guid.NewGuid();
        await next.AppendAsync(Some(id, 0, 0, 100), CancellationToken.None);
        Assert.Equal(100, Of(id, await ReadAsync(next)).Count);
    }

    [Fact]
    public async Task A_topic_that_is_deleted_is_made_again()
    {
        KafkaLogOptions topic = await TopicAsync();
        await using var log = new KafkaReplayLog(topic, TimeProvider.System, NullLoggerFactory.Instance);
        await using (IReplayStretch stretch = await log.OpenAsync(0, CancellationToken.None))
        {
            await stretch.AppendAsync(Some(Guid.NewGuid(), 0, 0, 100), CancellationToken.None);
            using IAdminClient admin = Admin(topic);
            await admin.DeleteTopicsAsync([topic.Topic]);
            await Eventually.Async(
                "the topic is gone",
                () => Task.FromResult(admin.GetMetadata(TimeSpan.FromSeconds(20)).Topics.All(one => one.Topic != topic.Topic)), TimeSpan.FromMinutes(1));
            await Assert.ThrowsAsync<ReplayUnavailableException>(() => ReadAsync(stretch));
        }

        await Eventually.Async(
            "a stretch works again",
            async () =>
            {
                try
                {
                    await using IReplayStretch stretch = await log.OpenAsync(0, CancellationToken.None);
                    Guid id = Guid.NewGuid();
                    await stretch.AppendAsync(Some(id, 0, 0, 100), CancellationToken.None);
                    return Of(id, await ReadAsync(stretch)).Count == 100;
                }
                catch (ReplayUnavailableException)
                {
                    return false; // brokers hear of a topic one after the other
                }
            },
            TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Brokers_that_are_away_are_named_by_the_topic()
    {
        KafkaLogOptions topic = await TopicAsync();
        topic.BootstrapServers = "127.0.0.1:1";
        topic.RequestTimeout = TimeSpan.FromSeconds(1);
        await using var log = new KafkaReplayLog(topic, TimeProvider.System, NullLoggerFactory.Instance);
        ReplayUnavailableException away = await Assert.ThrowsAsync<ReplayUnavailableException>(() => log.OpenAsync(0, CancellationToken.None));
        Assert.Contains($"topic '{topic.Topic}'", away.Message, StringComparison.Ordinal);
    }

    private async Task<KafkaLogOptions> TopicAsync() => new()
    {
        BootstrapServers = await kafka.BootstrapServersAsync(),
        Topic = "replay-" + Guid.NewGuid().ToString("N"),
        Retention = TimeSpan.FromHours(1),
        RequestTimeout = TimeSpan.FromSeconds(5),
    };

    private static IAdminClient Admin(KafkaLogOptions topic) => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = topic.BootstrapServers }).Build();

    private static async Task SetAsync(KafkaLogOptions topic, string bytes)
    {
        using IAdminClient admin = Admin(topic);
        await admin.IncrementalAlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>>
        {
            [new ConfigResource { Type = ResourceType.Topic, Name = topic.Topic }] =
                [new ConfigEntry { Name = "max.message.bytes", Value = bytes, IncrementalOperation = AlterConfigOpType.Set }],
        });
        await Eventually.Async(
            "the broker has the setting",
            async () => (await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic.Topic }]))[0].Entries["max.message.bytes"].Value == bytes,
            TimeSpan.FromSeconds(30));
    }

    private sealed class UnderTest(KafkaLogOptions topic) : ILogUnderTest
    {
        private readonly KafkaReplayLog _log = new(topic, TimeProvider.System, NullLoggerFactory.Instance);

        public IReplayLog Log => _log;

        public Task<ILogUnderTest> NextAsync() => Task.FromResult<ILogUnderTest>(new UnderTest(topic));

        public ValueTask DisposeAsync() => _log.DisposeAsync();
    }
}
