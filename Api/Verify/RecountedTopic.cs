using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// A topic of Kafka, read with the plain client: nothing of what the counting reads it with. Committed records only, up to
/// the last stable offset.
/// </summary>
internal sealed class RecountedTopic : IRecountLog, IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly KafkaLogOptions _options;
    private readonly IAdminClient _admin;

    private RecountedTopic(KafkaLogOptions options, IAdminClient admin, string id, int partitions)
    {
        _options = options;
        _admin = admin;
        Id = id;
        Partitions = partitions;
    }

    public string Id { get; }

    public int Partitions { get; }

    /// <summary>Looks for the topic; it is not made.</summary>
    /// <exception cref="KafkaLogException">The brokers do not answer, or there is no such topic.</exception>
    public static async Task<RecountedTopic> OpenAsync(KafkaLogOptions options, CancellationToken cancellationToken)
    {
        await using var log = new KafkaPartitionLog(options);
        string id = (await log.GetLogIdAsync(cancellationToken)).Value;
        int partitions = await log.GetPartitionCountAsync(cancellationToken);
        IAdminClient admin = new AdminClientBuilder(new AdminClientConfig(Settings(options))).SetLogHandler(static (_, _) => { }).Build();
        return new RecountedTopic(options, admin, id, partitions);
    }

    public async Task<(long Start, long End)> RangeAsync(int partition, CancellationToken cancellationToken) =>
        (await OffsetAsync(partition, OffsetSpec.Earliest(), cancellationToken), await OffsetAsync(partition, OffsetSpec.Latest(), cancellationToken));

    public Task ReadAsync(int partition, long from, long to, RecountRecord each, CancellationToken cancellationToken) =>
        from >= to ? Task.CompletedTask : Task.Run(() => Read(partition, from, to, each, cancellationToken), cancellationToken);

    public void Dispose() => _admin.Dispose();

    private void Read(int partition, long from, long to, RecountRecord each, CancellationToken cancellationToken)
    {
        using IConsumer<Ignore, byte[]> consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig(Settings(_options))
        {
            GroupId = "none", // demanded, never joined
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AutoOffsetReset = AutoOffsetReset.Error,
            CheckCrcs = true,
            ConsumeResultFields = "timestamp",
            QueuedMaxMessagesKbytes = 16 << 10,
        }).SetLogHandler(static (_, _) => { }).Build();
        consumer.Assign(new TopicPartitionOffset(_options.Topic, partition, from));
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ConsumeResult<Ignore, byte[]> record = consumer.Consume(s_patience)
                ?? throw new KafkaException(new Error(Confluent.Kafka.ErrorCode.Local_TimedOut, $"partition {partition} of {_options.Topic} stood still for {s_patience.TotalSeconds:F0} s on the way to offset {to}"));
            if (record.Offset.Value >= to)
            {
                return;
            }

            if (!record.IsPartitionEOF)
            {
                each(record.Offset.Value, record.Message.Timestamp.UnixTimestampMs, record.Message.Value ?? []);
                if (record.Offset.Value + 1 >= to)
                {
                    return;
                }
            }
        }
    }

    private async Task<long> OffsetAsync(int partition, OffsetSpec which, CancellationToken cancellationToken)
    {
        await Task.Run(() => KnownLeader.Wait(_admin, _options.Topic, partition, s_patience, cancellationToken), cancellationToken);
        ListOffsetsResult result = await _admin.ListOffsetsAsync(
            [new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(_options.Topic, partition), OffsetSpec = which }],
            new ListOffsetsOptions { IsolationLevel = IsolationLevel.ReadCommitted, RequestTimeout = s_patience }).WaitAsync(cancellationToken);
        return result.ResultInfos[0].TopicPartitionOffsetError.Offset.Value;
    }

    private static Dictionary<string, string> Settings(KafkaLogOptions options) =>
        new(options.Client, StringComparer.Ordinal) { ["bootstrap.servers"] = options.BootstrapServers, ["allow.auto.create.topics"] = "false" };
}
