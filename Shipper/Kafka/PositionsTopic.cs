using System.Text;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace ClickAggregator.Shipper.Kafka;

/// <summary>Reads the compacted topic that says how far each log was shipped.</summary>
internal sealed class PositionsTopic(ShipperOptions options)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// What the last committed record of a log says; null where there is none. Only behind the start of a new
    /// transactional producer, which ends what an older one left open: else an older position could be read.
    /// </summary>
    /// <exception cref="KafkaException">The topic cannot be read now.</exception>
    public ShippedPositions? Read(string logId, CancellationToken cancellationToken)
    {
        // The logs of all shippers share the topic. What another one left open hides what was committed behind it, also of
        // this log: so not to the end that readers of committed records see, but to the end there is.
        long end = End(cancellationToken);
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(ClientSettings.Reader(options))
            .SetLogHandler(static (_, _) => { }) // what matters is thrown
            .Build();
        consumer.Assign(new TopicPartitionOffset(options.PositionsTopicOrDefault, 0, Offset.Beginning));
        byte[] key = Encoding.UTF8.GetBytes(logId);
        byte[]? last = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            while (true)
            {
                ConsumeResult<byte[], byte[]> record = Consume(consumer, patience.Token);
                if (!record.IsPartitionEOF && record.Message.Key is { } some && some.AsSpan().SequenceEqual(key))
                {
                    last = record.Message.Value;
                }

                if (record.Offset.Value + (record.IsPartitionEOF ? 0 : 1) >= end)
                {
                    return last is null ? null : ShippedPositions.Parse(last, options.PositionsTopicOrDefault);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KafkaException(new Error(ErrorCode.Local_TimedOut,
                $"{options.PositionsTopicOrDefault} could not be read to its end within {s_patience.TotalSeconds:F0} s; a shipper that died may have left a transaction open, which the brokers end in time"));
        }
    }

    private static ConsumeResult<byte[], byte[]> Consume(IConsumer<byte[], byte[]> consumer, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return consumer.Consume(cancellationToken);
            }
            catch (ConsumeException fault) when (fault.Error.Code == ErrorCode.GroupAuthorizationFailed)
            {
                // The client library demands the name of a group and asks about it. It is never joined: no right is needed.
            }
        }
    }

    private long End(CancellationToken cancellationToken)
    {
        using IAdminClient admin = new AdminClientBuilder(ClientSettings.Admin(options)).SetLogHandler(static (_, _) => { }).Build();
        KnownLeader.Wait(admin, options.PositionsTopicOrDefault, 0, s_patience, cancellationToken);
        ListOffsetsResult result = admin.ListOffsetsAsync(
            [new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(options.PositionsTopicOrDefault, 0), OffsetSpec = OffsetSpec.Latest() }],
            new ListOffsetsOptions { IsolationLevel = IsolationLevel.ReadUncommitted, RequestTimeout = s_patience }).GetAwaiter().GetResult();
        return result.ResultInfos[0].TopicPartitionOffsetError.Offset.Value;
    }
}
