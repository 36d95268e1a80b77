using System.Text;
using Confluent.Kafka;

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
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(ClientSettings.Reader(options)).Build();
        consumer.Assign(new TopicPartitionOffset(options.PositionsTopicOrDefault, 0, Offset.Beginning));
        byte[]? last = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            while (true)
            {
                ConsumeResult<byte[], byte[]> record = consumer.Consume(patience.Token);
                if (record.IsPartitionEOF)
                {
                    return last is null ? null : ShippedPositions.Parse(last, options.PositionsTopicOrDefault);
                }

                if (record.Message.Key is { } key && key.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(logId)))
                {
                    last = record.Message.Value;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"{options.PositionsTopicOrDefault} could not be read to its end within {s_patience.TotalSeconds:F0} s"));
        }
    }
}
