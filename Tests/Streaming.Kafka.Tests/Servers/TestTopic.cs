using System.Globalization;
using System.Text;
using ClickAggregator.Servers;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace ClickAggregator.Streaming.Kafka.Tests.Servers;

/// <summary>A topic of one test's own, and what it takes to fill and to damage it.</summary>
internal sealed class TestTopic : IAsyncDisposable
{
    private readonly IProducer<byte[]?, byte[]?> _producer;

    private TestTopic(KafkaLogOptions options)
    {
        Options = options;
        Admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = options.BootstrapServers })
            .SetLogHandler((_, _) => { }).Build();
        _producer = Producer();
    }

    public KafkaLogOptions Options { get; }

    public string Name => Options.Topic;

    public IAdminClient Admin { get; }

    /// <summary>Creates the topic.</summary>
    public static async Task<TestTopic> CreateAsync(
        KafkaServer kafka, int partitions = 1, IReadOnlyDictionary<string, string>? settings = null)
    {
        var topic = new TestTopic(new KafkaLogOptions
        {
            BootstrapServers = await kafka.BootstrapServersAsync(),
            Topic = $"test-{Guid.NewGuid():N}",
            Partitions = partitions,
        });
        await topic.CreateTopicAsync(partitions, settings);
        return topic;
    }

    /// <summary>A topic that is there already.</summary>
    public static TestTopic Existing(KafkaLogOptions options) => new(options);

    public async Task CreateTopicAsync(int partitions, IReadOnlyDictionary<string, string>? settings = null)
    {
        var configs = new Dictionary<string, string> { ["message.timestamp.type"] = "LogAppendTime" };
        foreach ((string name, string value) in settings ?? new Dictionary<string, string>())
        {
            configs[name] = value;
        }

        await Admin.CreateTopicsAsync(
            [new TopicSpecification { Name = Name, NumPartitions = partitions, ReplicationFactor = 1, Configs = configs }],
            new CreateTopicsOptions { OperationTimeout = TimeSpan.FromSeconds(30) });
    }

    public KafkaPartitionLog Open(IRecordMapping? mapping = null) => new(Options, mapping);

    /// <summary>A producer of its own, for a transaction.</summary>
    public IProducer<byte[]?, byte[]?> Producer(string? transactionalId = null, int timeoutMilliseconds = 30_000) =>
        new ProducerBuilder<byte[]?, byte[]?>(new ProducerConfig
        {
            BootstrapServers = Options.BootstrapServers,
            EnableIdempotence = true,
            LingerMs = 1,
            TransactionalId = transactionalId,
            TransactionTimeoutMs = timeoutMilliseconds,
            MessageMaxBytes = 20 << 20,
            AllowAutoCreateTopics = false,
        }).SetLogHandler((_, _) => { }).Build();

    public IProducer<byte[]?, byte[]?> TransactionalProducer(int timeoutMilliseconds = 30_000)
    {
        IProducer<byte[]?, byte[]?> producer = Producer($"tx-{Guid.NewGuid():N}", timeoutMilliseconds);
        producer.InitTransactions(TimeSpan.FromSeconds(60));
        return producer;
    }

    /// <summary>A transaction of records, committed or aborted.</summary>
    public static void Transaction(IProducer<byte[]?, byte[]?> producer, TopicPartition partition, int records, bool commit)
    {
        producer.BeginTransaction();
        for (int n = 0; n < records; n++)
        {
            producer.Produce(partition, new Message<byte[]?, byte[]?> { Value = Value(n) });
        }

        if (commit)
        {
            producer.CommitTransaction(TimeSpan.FromSeconds(60));
        }
        else
        {
            // What is not sent yet would be dropped here, and leave no hole.
            producer.Flush(TimeSpan.FromSeconds(60));
            producer.AbortTransaction(TimeSpan.FromSeconds(60));
        }
    }

    public TopicPartition Partition(int partition = 0) => new(Name, partition);

    public Task AppendAsync(int partition, int records, int bytes = 100) => AppendAsync(_producer, partition, records, bytes);

    public Task AppendAsync(int partition, IEnumerable<Message<byte[]?, byte[]?>> messages) => AppendAsync(_producer, partition, messages);

    /// <summary>Appends with a writer that has just come.</summary>
    public async Task AppendNewlyAsync(int partition, int records)
    {
        using IProducer<byte[]?, byte[]?> producer = Producer();
        await AppendAsync(producer, partition, records, 100);
    }

    public async Task DeleteRecordsAsync(int partition, long before) =>
        await Admin.DeleteRecordsAsync([new TopicPartitionOffset(Name, partition, before)]);

    public async Task DeleteTopicAsync() =>
        await Admin.DeleteTopicsAsync([Name], new DeleteTopicsOptions { OperationTimeout = TimeSpan.FromSeconds(30) });

    public async ValueTask DisposeAsync()
    {
        try
        {
            await DeleteTopicAsync();
        }
        catch (DeleteTopicsException)
        {
            // The test has deleted it.
        }
        catch (KafkaException)
        {
            // The test has stopped its broker.
        }

        _producer.Dispose();
        Admin.Dispose();
    }

    private Task AppendAsync(IProducer<byte[]?, byte[]?> producer, int partition, int records, int bytes) =>
        AppendAsync(producer, partition, Enumerable.Range(0, records).Select(n => new Message<byte[]?, byte[]?> { Value = Value(n, bytes) }));

    private async Task AppendAsync(IProducer<byte[]?, byte[]?> producer, int partition, IEnumerable<Message<byte[]?, byte[]?>> messages) =>
        await Task.WhenAll(messages.Select(message => producer.ProduceAsync(Partition(partition), message)).ToArray());

    private static byte[] Value(int n, int bytes = 100) =>
        Encoding.ASCII.GetBytes(n.ToString("D" + bytes.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));
}
