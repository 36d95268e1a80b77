using ClickAggregator.Settings;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Streaming.Kafka;

namespace ClickAggregator.Silo.Settings;

/// <summary>The topics that are counted from and written to, read alike by whatever program counts.</summary>
public static class KafkaTopicSettings
{
    // What is in it is read at once, and nobody's only copy.
    private static readonly TimeSpan s_replayRetention = TimeSpan.FromHours(1);

    /// <summary>Reads what counting needs beside the brokers and the topic.</summary>
    /// <param name="reader">Where they are read from.</param>
    /// <param name="kafka">The brokers and the topic, read before.</param>
    /// <param name="partitions">How many a topic gets that is made.</param>
    /// <returns>Null where no brokers are named.</returns>
    public static KafkaSiloOptions? Read(SettingReader reader, KafkaSettings kafka, int partitions)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(kafka);
        string? deadLetters = reader.OptionalText("Kafka:DeadLetterTopic", "a topic's name", "takes records that hold no click; <topic>-dead-letters by default");
        string? replay = reader.OptionalText("Kafka:ReplayTopic", "a topic's name", "takes archived clicks that runs in republish mode count once more; <topic>-replay by default");
        if (kafka.BootstrapServers is not { } servers)
        {
            return null;
        }

        var silo = new KafkaSiloOptions(Log(kafka.Topic, partitions), Log(deadLetters ?? kafka.Topic + "-dead-letters", 1), Log(replay ?? kafka.Topic + "-replay", partitions));
        silo.Replay.Retention = s_replayRetention;
        if (silo.Replay.Topic == silo.Clicks.Topic || silo.Replay.Topic == silo.DeadLetters.Topic)
        {
            reader.Fault("Kafka:ReplayTopic", "must be a topic of its own: what goes through it was counted before");
        }
        else if (replay is not null && silo.Replay.Validate().Any(fault => fault.StartsWith($"{nameof(KafkaLogOptions)}.{nameof(KafkaLogOptions.Topic)} ", StringComparison.Ordinal)))
        {
            reader.Fault("Kafka:ReplayTopic", "must be 1 to 249 of the characters a-z A-Z 0-9 . _ -");
        }

        reader.FaultOptions(silo.Clicks.Validate(), _ => "Kafka");
        return silo;

        KafkaLogOptions Log(string name, int partitions)
        {
            var options = new KafkaLogOptions
            {
                BootstrapServers = servers,
                Topic = name,
                Partitions = partitions,
                ReplicationFactor = kafka.ReplicationFactor ?? -1,
                Retention = kafka.Retention,
                RequestTimeout = TimeSpan.FromSeconds(5),
            };
            foreach ((string setting, string value) in kafka.Client)
            {
                options.Client[setting] = value;
            }

            return options;
        }
    }
}
