using System.Text;
using System.Text.Json;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Programs;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>The program with Kafka as its log: a topic of the test's own, a data directory, and a way to look from outside.</summary>
internal sealed class KafkaProgram : IDisposable
{
    private readonly DataFolder _data = new();
    private readonly string _servers;

    private KafkaProgram(string servers) => _servers = servers;

    public string Topic { get; } = "clicks-" + Guid.NewGuid().ToString("N");

    public DataFolder Folder => _data;

    public string Data => _data.Path;

    public static async Task<KafkaProgram> NewAsync(KafkaServer kafka) => new(await kafka.BootstrapServersAsync());

    public static KafkaProgram New(string servers) => new(servers);

    public string[] Settings =>
        [$"--Kafka:BootstrapServers={_servers}", $"--Kafka:Topic={Topic}", "--Shipper:CommitInterval=100ms"];

    public Task<ApiProcess> StartAsync(params string[] more) => ApiProcess.StartAsync(Data, [.. Settings, .. more]);

    /// <summary>As other producers do: without the shipper, without transactions.</summary>
    public async Task ProduceAsync(params IEnumerable<(string Key, byte[]? Value)> records)
    {
        using IProducer<string, byte[]?> producer = new ProducerBuilder<string, byte[]?>(new ProducerConfig
        {
            BootstrapServers = _servers,
            Partitioner = Partitioner.Murmur2Random,
            MessageMaxBytes = 8 << 20,
        }).Build();
        await Task.WhenAll(records.Select(record =>
            producer.ProduceAsync(Topic, new Message<string, byte[]?> { Key = record.Key, Value = record.Value })));
    }

    public Task ProduceAsync(params IEnumerable<string> clicks) => ProduceAsync(clicks.Select(click =>
    {
        using var json = JsonDocument.Parse(click);
        return ("ad:" + json.RootElement.GetProperty("ad_id").GetString(), (byte[]?)Encoding.UTF8.GetBytes(click));
    }));

    /// <summary>Everything committed in a topic.</summary>
    public List<ConsumeResult<byte[], byte[]>> Read(string topic)
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = _servers,
            GroupId = "none",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        }).Build();
        using IAdminClient admin = Admin();
        int partitions = admin.GetMetadata(topic, TimeSpan.FromSeconds(20)).Topics[0].Partitions.Count;
        consumer.Assign(Enumerable.Range(0, partitions).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        var records = new List<ConsumeResult<byte[], byte[]>>();
        for (int ended = 0; ended < partitions;)
        {
            ConsumeResult<byte[], byte[]> record = consumer.Consume(TimeSpan.FromSeconds(30)) ?? throw new TimeoutException($"{topic} could not be read");
            ended += record.IsPartitionEOF ? 1 : 0;
            if (!record.IsPartitionEOF)
            {
                records.Add(record);
            }
        }

        return records;
    }

    public async Task DeleteTopicAsync()
    {
        using IAdminClient admin = Admin();
        await admin.DeleteTopicsAsync([Topic], new DeleteTopicsOptions { OperationTimeout = TimeSpan.FromSeconds(30) });
    }

    /// <summary>Makes the topic as a broker by itself does: with the writers' clocks.</summary>
    public async Task MakeUnfitTopicAsync()
    {
        using IAdminClient admin = Admin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = Topic, NumPartitions = 4, ReplicationFactor = 1 }]);
    }

    public async Task MakeTopicFitAsync()
    {
        using IAdminClient admin = Admin();
        await admin.IncrementalAlterConfigsAsync(new()
        {
            [new ConfigResource { Type = ResourceType.Topic, Name = Topic }] =
                [new ConfigEntry { Name = "message.timestamp.type", Value = "LogAppendTime", IncrementalOperation = AlterConfigOpType.Set }],
        });
    }

    /// <summary>A transaction of another producer with a record in each of the first partitions; disposed it is aborted.</summary>
    public IDisposable OpenTransaction(int partitions)
    {
        IProducer<byte[], byte[]> producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig
        {
            BootstrapServers = _servers,
            TransactionalId = Guid.NewGuid().ToString(),
            TransactionTimeoutMs = 60_000,
        }).Build();
        producer.InitTransactions(TimeSpan.FromSeconds(30));
        producer.BeginTransaction();
        for (int partition = 0; partition < partitions; partition++)
        {
            producer.Produce(new TopicPartition(Topic, partition), new Message<byte[], byte[]> { Key = [], Value = [] });
        }

        producer.Flush(TimeSpan.FromSeconds(10));
        return new OpenedTransaction(producer);
    }

    /// <summary>Removes what lies before an offset, as retention does.</summary>
    public async Task DeleteRecordsAsync(int partition, long before)
    {
        using IAdminClient admin = Admin();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(Topic, partition, before)]);
    }

    public async Task AddPartitionsAsync(int partitions)
    {
        using IAdminClient admin = Admin();
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = Topic, IncreaseTo = partitions }]);
    }

    /// <summary>The shipping as the status shows it.</summary>
    public static async Task<string> ShippingAsync(HttpClient http)
    {
        using var status = JsonDocument.Parse(await http.GetStringAsync("/v1/status"));
        return status.RootElement.GetProperty("sources").EnumerateArray()
            .Single(source => source.GetProperty("source").GetString() == "click log to Kafka").GetProperty("state").GetString()!;
    }

    public void Dispose() => _data.Dispose();

    private sealed class OpenedTransaction(IProducer<byte[], byte[]> producer) : IDisposable
    {
        public void Dispose()
        {
            producer.AbortTransaction();
            producer.Dispose();
        }
    }

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = _servers }).Build();
}
