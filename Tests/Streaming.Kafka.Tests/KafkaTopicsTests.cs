using ClickAggregator.Servers;
using ClickAggregator.Streaming.Kafka.Tests.Servers;
using Confluent.Kafka.Admin;

namespace ClickAggregator.Streaming.Kafka.Tests;

public class KafkaTopicsTests(KafkaServer kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_missing_topic_is_created_as_the_options_say_and_only_once()
    {
        KafkaLogOptions options = await OptionsAsync();
        options.Partitions = 3;
        options.Retention = TimeSpan.FromHours(5);
        await using TestTopic topic = TestTopic.Existing(options);
        Assert.True(await KafkaTopics.EnsureAsync(options, cancellationToken: Cancellation));
        Assert.False(await KafkaTopics.EnsureAsync(options, cancellationToken: Cancellation));

        await using KafkaPartitionLog log = topic.Open();
        Assert.Equal(3, await log.GetPartitionCountAsync(Cancellation));
        Dictionary<string, ConfigEntryResult> settings = (await topic.Admin.DescribeConfigsAsync(
            [new ConfigResource { Type = ResourceType.Topic, Name = topic.Name }]))[0].Entries;
        Assert.Equal("LogAppendTime", settings["message.timestamp.type"].Value);
        Assert.Equal("delete", settings["cleanup.policy"].Value);
        Assert.Equal("18000000", settings["retention.ms"].Value);
    }

    [Fact]
    public async Task Many_that_create_the_topic_at_once_agree()
    {
        KafkaLogOptions options = await OptionsAsync();
        await using TestTopic topic = TestTopic.Existing(options);
        bool[] created = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => KafkaTopics.EnsureAsync(options, cancellationToken: Cancellation)));
        Assert.Single(created, made => made);
    }

    [Fact]
    public async Task An_existing_topic_may_have_more_partitions_and_another_retention()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, 6, new Dictionary<string, string> { ["retention.ms"] = "3600000" });
        topic.Options.Partitions = 4;
        Assert.False(await KafkaTopics.EnsureAsync(topic.Options, cancellationToken: Cancellation));
    }

    [Fact]
    public async Task A_topic_that_does_not_fit_is_an_error_that_says_all_there_is_to_do()
    {
        await using TestTopic topic = await TestTopic.CreateAsync(kafka, 2, new Dictionary<string, string>
        {
            ["message.timestamp.type"] = "CreateTime",
            ["cleanup.policy"] = "compact",
        });
        topic.Options.Partitions = 4;
        var fault = await Assert.ThrowsAsync<KafkaLogException>(() => KafkaTopics.EnsureAsync(topic.Options, cancellationToken: Cancellation));

        Assert.False(fault.IsTransient);
        string server = $"--bootstrap-server {topic.Options.BootstrapServers} --alter";
        Assert.Contains($"kafka-topics.sh {server} --topic {topic.Name} --partitions 4", fault.Message, StringComparison.Ordinal);
        string change = $"kafka-configs.sh {server} --entity-type topics --entity-name {topic.Name} --add-config";
        Assert.Contains($"{change} message.timestamp.type=LogAppendTime", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"{change} cleanup.policy=delete", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_replicas_than_brokers_is_an_error_in_the_brokers_words()
    {
        KafkaLogOptions options = await OptionsAsync();
        options.ReplicationFactor = 99;
        var fault = await Assert.ThrowsAsync<KafkaLogException>(() => KafkaTopics.EnsureAsync(options, cancellationToken: Cancellation));
        Assert.Equal(ErrorCode.InvalidReplicationFactor, fault.Code);
        Assert.Contains("99", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Brokers_that_are_away_are_a_transient_error()
    {
        var options = new KafkaLogOptions { BootstrapServers = "127.0.0.1:1", RequestTimeout = TimeSpan.FromMilliseconds(300) };
        var fault = await Assert.ThrowsAsync<KafkaLogException>(() => KafkaTopics.EnsureAsync(options, cancellationToken: Cancellation));
        Assert.True(fault.IsTransient, fault.ToString());
    }

    private async Task<KafkaLogOptions> OptionsAsync() =>
        new() { BootstrapServers = await kafka.BootstrapServersAsync(), Topic = $"test-{Guid.NewGuid():N}" };
}
