using System.Text;
using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>What clients of Confluent.Kafka have to say, as lines of the application's log.</summary>
internal sealed class ClientVoice(string topic, ILogger logger)
{
    public void Log(IClient client, LogMessage message)
    {
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
        KafkaLogException fault = NativeErrors.ToException(error.Code, error.Reason, null);
        KafkaEvents.ClientTrouble(logger, topic, fault);
    }
}
