using ClickAggregator.Settings;

namespace ClickAggregator.Shipper;

/// <summary><c>Kafka:*</c> and <c>Shipper:*</c>: where a click log is shipped to, read alike by whatever program ships.</summary>
public static class ShipSettings
{
    /// <summary>Reads what shipping needs beside the brokers and the topic.</summary>
    /// <param name="reader">Where they are read from.</param>
    /// <param name="kafka">The brokers and the topic, read before.</param>
    /// <param name="leastPartitions">Partitions that a topic gets at least, where it is made.</param>
    /// <returns>Null where no brokers are named.</returns>
    public static ShipperOptions? Read(SettingReader reader, KafkaSettings kafka, int leastPartitions)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(kafka);
        string? positions = reader.OptionalText("Kafka:PositionsTopic", "a topic's name", "says how far each click log is shipped; <topic>-positions by default");
        string format = reader.Choice("Kafka:Format", ["compact", "json"], "how clicks are written to the topic; both are read");
        TimeSpan interval = reader.Duration("Shipper:CommitInterval", TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10),
            "how long a transaction gathers clicks while more come");
        TimeSpan timeout = reader.Duration("Shipper:TransactionTimeout", TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(15),
            "how long the brokers keep the transaction of a shipper open that is gone");
        if (kafka.BootstrapServers is not { } servers)
        {
            return null;
        }

        var options = new ShipperOptions
        {
            BootstrapServers = servers,
            Topic = kafka.Topic,
            PositionsTopic = positions,
            Partitions = Math.Max(kafka.Partitions, leastPartitions),
            ReplicationFactor = kafka.ReplicationFactor,
            Retention = kafka.Retention,
            Format = format == "json" ? ShipFormat.Json : ShipFormat.Compact,
            CommitInterval = interval,
            TransactionTimeout = timeout,
            Client = kafka.Client,
        };
        reader.FaultOptions(options.Validate(), name => name is nameof(options.CommitInterval) or nameof(options.TransactionTimeout) ? "Shipper" : "Kafka");
        return options;
    }
}
