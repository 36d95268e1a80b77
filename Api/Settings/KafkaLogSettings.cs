using ClickAggregator.Settings;
using ClickAggregator.Shipper;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Silo.Settings;

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

    /// <summary>How long a request waits for that.</summary>
    public required TimeSpan AcknowledgeWithin { get; init; }

    /// <summary>Null where no broker is named: then the click log is what is counted.</summary>
    /// <param name="reader">Where they are read from.</param>
    /// <param name="leastPartitions">The click log's: a topic with fewer could not take its place.</param>
    public static KafkaLogSettings? Read(SettingReader reader, int leastPartitions)
    {
        var kafka = KafkaSettings.Read(reader, "Kafka's brokers; with them Kafka is the log that is counted, and the click log is shipped to it");
        ShipperOptions? shipper = ShipSettings.Read(reader, kafka, leastPartitions);
        KafkaSiloOptions? silo = KafkaTopicSettings.Read(reader, kafka, Math.Max(kafka.Partitions, leastPartitions));
        string acknowledge = reader.Choice("Ingest:AcknowledgeAfter", ["disk", "kafka"],
            "202 is sent when the click is fsynced on this disk, or when it is committed to Kafka");
        // Longer than a transaction takes and than a leader moves; shorter than callers wait.
        TimeSpan within = reader.Duration("Ingest:AcknowledgeWithin", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5),
            "with Ingest:AcknowledgeAfter=kafka: how long a request waits for the commit, then 503");
        if (shipper is null || silo is null)
        {
            if (reader.HasAny("Kafka") || reader.HasAny("Shipper") || acknowledge == "kafka")
            {
                reader.Fault("Kafka:BootstrapServers", "must name the brokers where another setting of Kafka is given");
            }

            return null;
        }

        return new KafkaLogSettings { Shipper = shipper, Silo = silo, AcknowledgeAfterKafka = acknowledge == "kafka", AcknowledgeWithin = within };
    }
}
