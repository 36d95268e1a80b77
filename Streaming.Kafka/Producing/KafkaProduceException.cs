using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// Items were not acknowledged. Those that were not may be in the topic all the same: who sends them again may have them
/// twice.
/// </summary>
public sealed class KafkaProduceException : KafkaLogException
{
    internal KafkaProduceException(ErrorCode code, string reason, bool isTransient, int acknowledged, int items, Exception? inner)
        : base(code, reason, isTransient, inner)
    {
        Acknowledged = acknowledged;
        Items = items;
    }

    /// <summary>How many of the items the brokers have acknowledged; not necessarily the first ones.</summary>
    public int Acknowledged { get; }

    /// <summary>How many items there were.</summary>
    public int Items { get; }
}
