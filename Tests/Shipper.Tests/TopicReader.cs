using Confluent.Kafka;

namespace ClickAggregator.Shipper.Tests;

/// <summary>Follows a topic as readers of committed records see it, from its start.</summary>
internal sealed class TopicReader : IDisposable
{
    private readonly IConsumer<byte[], byte[]> _consumer;
    private readonly HashSet<int> _atEnd = [];
    private readonly int _partitions;

    public TopicReader(string servers, string topic, int partitions)
    {
        _partitions = partitions;
        _consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = servers,
            GroupId = "none",
            EnablePartitionEof = true,
            EnableAutoCommit = false,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            AllowAutoCreateTopics = false,
            TopicMetadataRefreshIntervalMs = 500,
            ReconnectBackoffMaxMs = 500,
        }).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
        _consumer.Assign(Enumerable.Range(0, partitions).Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
    }

    public List<ConsumeResult<byte[], byte[]>> Records { get; } = [];

    /// <summary>Reads until there are so many records, and until the end of every partition was seen behind them.</summary>
    public Task UntilAsync(int records, TimeSpan? deadline = null) => Task.Run(() =>
    {
        using var patience = new CancellationTokenSource(deadline ?? TimeSpan.FromSeconds(60));
        while (Records.Count < records || _atEnd.Count < _partitions)
        {
            try
            {
                Take(_consumer.Consume(patience.Token));
            }
            catch (ConsumeException missing) when (missing.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition)
            {
                // It is made by whoever ships to it.
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"{Records.Count} records are in the topic, and {records} were expected");
            }
        }
    });

    public void Dispose() => _consumer.Dispose();

    private void Take(ConsumeResult<byte[], byte[]> record)
    {
        if (record.IsPartitionEOF)
        {
            _atEnd.Add(record.Partition.Value);
        }
        else
        {
            _atEnd.Remove(record.Partition.Value);
            Records.Add(record);
        }
    }
}
