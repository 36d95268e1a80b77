using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Kafka could not be read or written, for another reason than an offset that it does not hold.</summary>
public class KafkaLogException : Exception
{
    internal KafkaLogException(ErrorCode code, string reason, bool isTransient, Exception? inner = null)
        : base($"Kafka: {reason} ({code})", inner)
    {
        Code = code;
        Reason = reason;
        IsTransient = isTransient;
    }

    /// <summary>The error of the protocol, or of the client library.</summary>
    public ErrorCode Code { get; }

    /// <summary>What it says of itself.</summary>
    public string Reason { get; }

    /// <summary>Whether the same call may succeed later without anybody's doing.</summary>
    public bool IsTransient { get; }
}
