using ClickAggregator.Shipper;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Streaming.Kafka;

namespace ClickAggregator.Api.Settings;

/// <summary><c>Kafka:*</c> and <c>Shipper:*</c>: Kafka as the log that is counted.</summary>
internal sealed class KafkaSettings
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
    public static KafkaSettings? Read(SettingReader reader, int leastPartitions)
    {
        string? servers = reader.OptionalText("Kafka:BootstrapServers", "host:port, divided by commas",
            "Kafka's brokers; with them Kafka is the log that is counted, and the click log is shipped to it");
        string topic = reader.Text("Kafka:Topic", "clicks", "the topic of clicks; made where it is missing");
        int partitions = reader.Number("Kafka:Partitions", 4, 1, 10_000, "partitions of a topic that is made; a topic with fewer is refused");
        int replication = reader.Number("Kafka:ReplicationFactor", 0, 0, 100, "copies of each partition of a topic that is made; 0: as the brokers are set");
        TimeSpan retention = reader.Duration("Kafka:Retention", TimeSpan.FromDays(7), TimeSpan.FromMinutes(1), TimeSpan.FromDays(3_650),
            "how long a topic that is made keeps clicks");
        string? positions = reader.OptionalText("Kafka:PositionsTopic", "a topic's name", "says how far each click log is shipped; <topic>-positions by default");
        string? deadLetters = reader.OptionalText("Kafka:DeadLetterTopic", "a topic's name", "takes records that hold no click; <topic>-dead-letters by default");
        string format = reader.Choice("Kafka:Format", ["compact", "json"], "how clicks are written to the topic; both are read");
        IReadOnlyDictionary<string, string> client = reader.Map("Kafka:Client", "any setting of librdkafka", "for example Kafka:Client:security.protocol=SASL_SSL");
        TimeSpan interval = reader.Duration("Shipper:CommitInterval", TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10),
            "how long a transaction gathers clicks while more come");
        TimeSpan timeout = reader.Duration("Shipper:TransactionTimeout", TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15),
            "how long the brokers keep the transaction of a shipper open that is gone");
        string acknowledge = reader.Choice("Ingest:AcknowledgeAfter", ["disk", "kafka"],
            "202 is sent when the click is fsynced on this disk, or when it is committed to Kafka");
        if (servers is null)
        {
            if (reader.HasAny("Kafka") || reader.HasAny("Shipper") || acknowledge == "kafka")
            {
                reader.Fault("Kafka:BootstrapServers", "must name the brokers where another setting of Kafka is given");
            }

            return null;
        }

        var settings = new KafkaSettings
        {
            Shipper = new ShipperOptions
            {
                BootstrapServers = servers,
                Topic = topic,
                PositionsTopic = positions,
                Partitions = Math.Max(partitions, leastPartitions),
                ReplicationFactor = replication == 0 ? null : (short)replication,
                Retention = retention,
                Format = format == "json" ? ShipFormat.Json : ShipFormat.Compact,
                CommitInterval = interval,
                TransactionTimeout = timeout,
                Client = client,
            },
            Silo = new KafkaSiloOptions(Topic(topic, Math.Max(partitions, leastPartitions)), Topic(deadLetters ?? topic + "-dead-letters", 1)),
            AcknowledgeAfterKafka = acknowledge == "kafka",
        };
        foreach (string fault in settings.Shipper.Validate().Concat(settings.Silo.Clicks.Validate()))
        {
            // Both options say where they break a rule by their own names; here they are the settings'.
            int dot = fault.IndexOf('.', StringComparison.Ordinal);
            int end = fault.IndexOf(' ', StringComparison.Ordinal);
            string name = fault[(dot + 1)..end].TrimEnd(':');
            reader.Fault((name is "CommitInterval" or "TransactionTimeout" ? "Shipper:" : "Kafka:") + name, fault[(end + 1)..]);
        }

        return settings;

        KafkaLogOptions Topic(string name, int atLeast)
        {
            var options = new KafkaLogOptions
            {
                BootstrapServers = servers,
                Topic = name,
                Partitions = atLeast,
                ReplicationFactor = replication == 0 ? (short)-1 : (short)replication,
                Retention = retention,
                RequestTimeout = TimeSpan.FromSeconds(5),
            };
            foreach ((string setting, string value) in client)
            {
                options.Client[setting] = value;
            }

            return options;
        }
    }
}
