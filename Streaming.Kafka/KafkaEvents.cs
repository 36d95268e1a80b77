using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>What the log tells the operator.</summary>
internal static partial class KafkaEvents
{
    /// <summary>
    /// From syslog's severities, which librdkafka uses. Each attempt to connect that fails is a line, one a second and more
    /// while a broker is away: what is lost by that is told now and then, as <see cref="ClientLost"/>.
    /// </summary>
    public static LogLevel LevelOf(int severity, ReadOnlySpan<byte> facility) => facility.SequenceEqual("FAIL"u8) ? LogLevel.Debug : severity switch
    {
        <= 2 => LogLevel.Critical,
        3 => LogLevel.Error,
        4 => LogLevel.Warning,
        5 or 6 => LogLevel.Information,
        _ => LogLevel.Debug,
    };

    /// <summary>
    /// One set of options serves clients of all kinds, and each kind warns of the settings of the others; and of those that the
    /// log makes itself.
    /// </summary>
    public static bool IsNoise(ReadOnlySpan<byte> facility, ReadOnlySpan<byte> text) =>
        facility.SequenceEqual("CONFWARN"u8)
        && (text.IndexOf("property and will be ignored by this"u8) >= 0 || text.IndexOf("Configuration property debug"u8) >= 0
            || text.IndexOf("Configuration property auto.commit.enable"u8) >= 0);

    [LoggerMessage(EventId = 4201, Message = "Kafka client, {Facility}: {Text}")]
    public static partial void Native(ILogger logger, LogLevel level, string facility, string text);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4202, Message = "A Kafka client of topic {Topic} has lost the brokers, it goes on trying: {Reason} ({Unsaid} more since this was last said)")]
    public static partial void ClientLost(ILogger logger, string topic, string reason, long unsaid);

    [LoggerMessage(Level = LogLevel.Debug, EventId = 4205, Message = "A Kafka client of topic {Topic} has trouble")]
    public static partial void ClientTrouble(ILogger logger, string topic, Exception fault);

    [LoggerMessage(Level = LogLevel.Information, EventId = 4203,
        Message = "Topic {Topic} was created with {Partitions} partitions, retention {Retention}")]
    public static partial void TopicCreated(ILogger logger, string topic, int partitions, TimeSpan retention);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4204, Message = "A Kafka client of topic {Topic} failed to close")]
    public static partial void CloseFailed(ILogger logger, string topic, Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4206,
        Message = "Streams {Provider}: {Count} records of partition {Partition}, from offset {Offset} on, could not be read as {Asked} and were skipped")]
    public static partial void RecordsSkipped(
        ILogger logger, string provider, int count, int partition, long offset, Type asked, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, EventId = 4207,
        Message = "Streams {Provider}: the producer cannot go on and is replaced by a new one")]
    public static partial void ProducerReplaced(ILogger logger, string provider, Exception fault);
}
