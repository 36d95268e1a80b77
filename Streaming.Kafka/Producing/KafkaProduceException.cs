using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// Items were not acknowledged. Those that were not may be in the topic all the same: who sends them again may have them
/// twice.
/// </summary>
[GenerateSerializer, Alias("ClickAggregator.Streaming.Kafka.KafkaProduceException")]
public sealed class KafkaProduceException : KafkaLogException
{
    internal KafkaProduceException(ErrorCode code, string reason, bool isTransient, int acknowledged, int items)
        : base(code, reason, isTransient)
    {
        Acknowledged = acknowledged;
        Items = items;
    }

    /// <summary>How many of the items the brokers have acknowledged; not necessarily the first ones.</summary>
    [Id(0)]
    public int Acknowledged { get; }

    /// <summary>How many items there were.</summary>
    [Id(1)]
    public int Items { get; }
}
