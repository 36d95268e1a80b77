using ClickAggregator.Settings;
using ClickAggregator.Shipper;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Streaming.Kafka;

namespace ClickAggregator.Api.Settings;

/// <summary>Kafka as the log that is counted.</summary>
internal sealed class KafkaLogSettings
{
    /// <summary>Where the click log is shipped to.</summary>
    public required ShipperOptions Shipper { get; init; }

    /// <summary>What is counted.</summary>
    public required KafkaSiloOptions Silo { get; init; }

    /// <summary>202 is sent when the click is in Kafka, not when it is on this disk.</summary>
    public required bool AcknowledgeAfterKafka { get; init; }

    /// <summary>Null where no broker is named: then the click log is what is counted.</summary>
    /// <param name="reader">Where they are read from.</param>
    /// <param name="leastPartitions">The click log's: a topic with fewer could not take its place.</param>
    public static KafkaLogSettings? Read(SettingReader reader, int leastPartitions)
    {
        var kafka = KafkaSettings.Read(reader, "Kafka's brokers; with them Kafka is the log that is counted, and the click log is shipped to it");
        ShipperOptions? shipper = ShipSettings.Read(reader, kafka, leastPartitions);
        string? deadLetters = reader.OptionalText("Kafka:DeadLetterTopic", "a topic's name", "takes records that hold no click; <topic>-dead-letters by default");
        string acknowledge = reader.Choice("Ingest:AcknowledgeAfter", ["disk", "kafka"],
            "202 is sent when the click is fsynced on this disk, or when it is committed to Kafka");
        if (shipper is null)
        {
            if (reader.HasAny("Kafka") || reader.HasAny("Shipper") || acknowledge == "kafka")
            {
                reader.Fault("Kafka:BootstrapServers", "must name the brokers where another setting of Kafka is given");
            }

            return null;
        }

        var settings = new KafkaLogSettings
        {
            Shipper = shipper,
            Silo = new KafkaSiloOptions(Log(kafka.Topic, shipper.Partitions), Log(deadLetters ?? kafka.Topic + "-dead-letters", 1)),
            AcknowledgeAfterKafka = acknowledge == "kafka",
        };
        reader.FaultOptions(settings.Silo.Clicks.Validate(), _ => "Kafka");
        return settings;

        KafkaLogOptions Log(string name, int partitions)
        {
            var options = new KafkaLogOptions
            {
                BootstrapServers = shipper.BootstrapServers,
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
