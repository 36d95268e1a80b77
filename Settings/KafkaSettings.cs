namespace ClickAggregator.Settings;

/// <summary><c>Kafka:*</c>, as far as every program that has to do with the topic of clicks reads it.</summary>
public sealed class KafkaSettings
{
    /// <summary>The brokers; null where none are named.</summary>
    public required string? BootstrapServers { get; init; }

    public required string Topic { get; init; }

    /// <summary>Partitions of a topic that is made.</summary>
    public required int Partitions { get; init; }

    /// <summary>Copies of each partition of a topic that is made; null for what the brokers have as default.</summary>
    public required short? ReplicationFactor { get; init; }

    /// <summary>How long a topic that is made keeps clicks.</summary>
    public required TimeSpan Retention { get; init; }

    /// <summary>Settings of librdkafka, by its own names.</summary>
    public required IReadOnlyDictionary<string, string> Client { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="reader">Where they are read from.</param>
    /// <param name="brokers">What the brokers are for in this program.</param>
    public static KafkaSettings Read(SettingReader reader, string brokers)
    {
        ArgumentNullException.ThrowIfNull(reader);
        string? servers = reader.OptionalText("Kafka:BootstrapServers", "host:port, divided by commas", brokers);
        string topic = reader.Text("Kafka:Topic", "clicks", "the topic of clicks; made where it is missing");
        int partitions = reader.Number("Kafka:Partitions", 4, 1, 10_000, "partitions of a topic that is made; a topic with fewer is not counted");
        int replication = reader.Number("Kafka:ReplicationFactor", 0, 0, 100, "copies of each partition of a topic that is made; 0: as the brokers are set");
        TimeSpan retention = reader.Duration("Kafka:Retention", TimeSpan.FromDays(7), TimeSpan.FromMinutes(1), TimeSpan.FromDays(3_650),
            "how long a topic that is made keeps clicks");
        return new KafkaSettings
        {
            BootstrapServers = servers,
            Topic = topic,
            Partitions = partitions,
            ReplicationFactor = replication == 0 ? null : (short)replication,
            Retention = retention,
            Client = reader.Map("Kafka:Client", "any setting of librdkafka", "for example Kafka:Client:security.protocol=SASL_SSL"),
        };
    }
}
