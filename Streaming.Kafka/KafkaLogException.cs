using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Kafka could not be read or written, for another reason than an offset that it does not hold.</summary>
[GenerateSerializer, Alias("ClickAggregator.Streaming.Kafka.KafkaLogException")]
public class KafkaLogException : Exception, ILogFault
{
    // As a number: the enumeration is not ours to travel.
    [Id(0)]
    private readonly int _code;

    internal KafkaLogException(ErrorCode code, string reason, bool isTransient, Exception? inner = null)
        : base($"Kafka: {reason} ({code})", inner)
    {
        _code = (int)code;
        Reason = reason;
        IsTransient = isTransient;
    }

    /// <summary>The error of the protocol, or of the client library.</summary>
    public ErrorCode Code => (ErrorCode)_code;

    /// <summary>What it says of itself.</summary>
    [Id(1)]
    public string Reason { get; }

    /// <summary>Whether the same call may succeed later without anybody's doing.</summary>
    [Id(2)]
    public bool IsTransient { get; }
}
