using System.Globalization;
using System.Text;
using ClickAggregator.Grains.DeadLetters;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo.Kafka;

/// <summary>
/// Dead letters in a topic of their own. The key is <c>partition-offset</c>, so that a compaction or a reader finds repeats;
/// the headers say partition, offset, timestamp, reason, message and length; the value is the record's.
/// </summary>
internal sealed class KafkaDeadLetters(KafkaLogOptions topic, TimeProvider time, ILoggerFactory loggers) : IDeadLetters, IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private IProducer<string, byte[]>? _producer;

    public async Task WriteAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellationToken)
    {
        IProducer<string, byte[]> producer = await ProducerAsync(cancellationToken);
        await Task.WhenAll(letters.Select(letter => producer.ProduceAsync(topic.Topic, MessageOf(letter), cancellationToken)));
    }

    public void Dispose()
    {
        _producer?.Dispose();
        _turn.Dispose();
    }

    internal static Message<string, byte[]> MessageOf(DeadLetter letter) => new()
    {
        Key = string.Create(CultureInfo.InvariantCulture, $"{letter.Partition}-{letter.Offset}"),
        Value = letter.Value,
        Headers =
        [
            Header("partition", letter.Partition.ToString(CultureInfo.InvariantCulture)),
            Header("offset", letter.Offset.ToString(CultureInfo.InvariantCulture)),
            Header("timestamp", letter.Timestamp.ToString(CultureInfo.InvariantCulture)),
            Header("reason", letter.Reason),
            Header("message", letter.Message),
            Header("length", letter.Length.ToString(CultureInfo.InvariantCulture)),
        ],
    };

    private static Header Header(string name, string value) => new(name, Encoding.UTF8.GetBytes(value));

    // Whatever settings somebody gave it (a compaction, say): nothing is counted from it.
    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await KafkaTopics.EnsureAsync(topic, loggers, time, cancellationToken);
        }
        catch (KafkaLogException unfit) when (unfit.Code == Confluent.Kafka.ErrorCode.InvalidConfig)
        {
        }
    }

    private async Task<IProducer<string, byte[]>> ProducerAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_producer is null)
            {
                await MakeAsync(cancellationToken);
                _producer = new ProducerBuilder<string, byte[]>(new ProducerConfig(new Dictionary<string, string>(topic.Client))
                {
                    BootstrapServers = topic.BootstrapServers,
                    EnableIdempotence = true,
                    LingerMs = 5,
                    MessageTimeoutMs = 10_000, // a partition waits, and what it waits for has to be said before the five minutes by default
                    AllowAutoCreateTopics = false,
                }).SetLogHandler(static (_, _) => { }).Build();
            }

            return _producer;
        }
        finally
        {
            _turn.Release();
        }
    }
}
