using System.Text;
using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>What clients of Confluent.Kafka have to say, as lines of the application's log.</summary>
internal sealed class ClientVoice(string topic, ILogger logger)
{
    private volatile string? _trouble;

    /// <summary>
    /// Why the brokers could not be reached when they last could not: a wrong password, for example. A call that waits for them
    /// only says that its time was up.
    /// </summary>
    public string? Trouble => _trouble;

    public void Reached() => _trouble = null;

    public void Log(IClient client, LogMessage message)
    {
        if (message.Facility == "FAIL")
        {
            // What is no error to the client, a broker that hangs up for example, is only a line.
            _trouble = Readable(message.Message);
        }

        byte[] facility = Encoding.UTF8.GetBytes(message.Facility);
        LogLevel level = KafkaEvents.LevelOf((int)message.Level, facility);
        if (logger.IsEnabled(level) && !KafkaEvents.IsNoise(facility, Encoding.UTF8.GetBytes(message.Message)))
        {
            KafkaEvents.Native(logger, level, message.Facility, message.Message);
        }
    }

    /// <summary>Whoever asks is told; this is for those who look closer.</summary>
    public void Error(IClient client, Error error)
    {
        if (error.Code != ErrorCode.Local_AllBrokersDown)
        {
            _trouble = error.Reason;
        }

        KafkaLogException fault = NativeErrors.ToException(error.Code, error.Reason, null);
        KafkaEvents.ClientTrouble(logger, topic, fault);
    }

    // "[thrd:127.0.0.1:9092/bootstrap]: 127.0.0.1:9092/bootstrap: Disconnected: … (after 0ms in state APIVERSION_QUERY)"
    private static string Readable(string line)
    {
        string text = line[(line.IndexOf("]: ", StringComparison.Ordinal) is >= 0 and int at ? at + 3 : 0)..];
        return line.Contains("APIVERSION_QUERY", StringComparison.Ordinal)
            ? text + "; a broker that expects TLS or a password hangs up like this, see security.protocol"
            : text;
    }
}
