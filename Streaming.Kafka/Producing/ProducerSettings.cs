using System.Globalization;

namespace ClickAggregator.Streaming.Kafka.Producing;

/// <summary>The settings of librdkafka for a producer, and which of them are nobody's choice.</summary>
internal static class ProducerSettings
{
    // Acknowledged means stored on every replica in sync, once and in order; and a key means the same partition as for
    // Kafka's own clients.
    private static readonly Dictionary<string, string> s_promised = new(StringComparer.Ordinal)
    {
        ["enable.idempotence"] = "true",
        ["acks"] = "all",
        ["partitioner"] = "murmur2_random",
    };

    private static readonly string[] s_promises =
        [.. s_promised.Keys, "request.required.acks", "transactional.id", "enable.gapless.guarantee", "delivery.report.only.error"];

    private static readonly Dictionary<string, string> s_ours = new(StringComparer.Ordinal)
    {
        ["message.timeout.ms"] = nameof(KafkaStreamOptions.DeliveryTimeout),
        ["delivery.timeout.ms"] = nameof(KafkaStreamOptions.DeliveryTimeout),
        ["queue.buffering.max.kbytes"] = nameof(KafkaStreamOptions.SendQueueBytes),
        ["queue.buffering.max.messages"] = nameof(KafkaStreamOptions.SendQueueBytes),
        ["linger.ms"] = nameof(KafkaStreamOptions.Linger),
        ["queue.buffering.max.ms"] = nameof(KafkaStreamOptions.Linger),
    };

    /// <summary>The rule that a setting breaks, or null.</summary>
    public static string? Fault(string name) =>
        s_ours.TryGetValue(name, out string? option) ? $"is set by {nameof(KafkaStreamOptions)}.{option}"
        : s_promises.Contains(name) ? "must be left to the provider: its promises rest on it"
        : null;

    public static Dictionary<string, string> Of(KafkaStreamOptions options)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["socket.keepalive.enable"] = "true",
            ["reconnect.backoff.max.ms"] = "1000",
            // A topic that was deleted would come back with the brokers' settings.
            ["allow.auto.create.topics"] = "false",
        };
        foreach ((string name, string value) in options.Log.Client.Concat(s_promised))
        {
            settings[name] = value;
        }

        settings["bootstrap.servers"] = options.Log.BootstrapServers;
        settings["message.timeout.ms"] = Number((long)options.DeliveryTimeout.TotalMilliseconds);
        settings["linger.ms"] = Number((long)options.Linger.TotalMilliseconds);
        settings["queue.buffering.max.kbytes"] = Number(options.SendQueueBytes >> 10);
        // By bytes, not by records.
        settings["queue.buffering.max.messages"] = "0";
        return settings;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
