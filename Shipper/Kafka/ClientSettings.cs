using System.Globalization;
using Confluent.Kafka;

namespace ClickAggregator.Shipper.Kafka;

/// <summary>The settings of librdkafka's clients, made of the options.</summary>
internal static class ClientSettings
{
    public static ProducerConfig Producer(ShipperOptions options, string transactionalId) => new(With(options, new()
    {
        ["transactional.id"] = transactionalId,
        ["transaction.timeout.ms"] = ((int)options.TransactionTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
        ["acks"] = "all",

        // As Kafka's Java client places keys, so that other producers' clicks of a target land in the same partition.
        ["partitioner"] = "murmur2_random",

        // A topic that is deleted meanwhile is made again by whoever knows its settings.
        ["allow.auto.create.topics"] = "false",
    }, new()
    {
        ["compression.type"] = "lz4",

        // How soon partitions that were added get clicks; by default it is five minutes.
        ["topic.metadata.refresh.interval.ms"] = "30000",
        ["linger.ms"] = "5",

        // A record that could not be sent fails its transaction, whose end therefore has to come before the broker's.
        ["message.timeout.ms"] = ((int)options.TransactionTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
        ["queue.buffering.max.messages"] = "1000000",
        ["queue.buffering.max.kbytes"] = "65536",
    }))
    {
        // The transaction says it for all of its records together.
        EnableDeliveryReports = false,
    };

    public static ConsumerConfig Reader(ShipperOptions options) => new(With(options, new()
    {
        ["group.id"] = "none", // demanded, never joined
        ["enable.auto.commit"] = "false",
        ["enable.partition.eof"] = "true",
        ["isolation.level"] = "read_committed",
        ["auto.offset.reset"] = "earliest",
        ["allow.auto.create.topics"] = "false",
    }, []));

    public static AdminClientConfig Admin(ShipperOptions options) => new(With(options, new() { ["allow.auto.create.topics"] = "false" }, []));

    private static Dictionary<string, string> With(ShipperOptions options, Dictionary<string, string> ours, Dictionary<string, string> defaults)
    {
        var all = new Dictionary<string, string>(defaults);
        foreach ((string name, string value) in options.Client.Concat(ours))
        {
            all[name] = value;
        }

        all["bootstrap.servers"] = options.BootstrapServers;
        return all;
    }
}
