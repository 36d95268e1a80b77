using System.Globalization;
using ClickAggregator.Streaming.Kafka.Native;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Turns the options into settings of librdkafka, and knows which of them are nobody's choice.</summary>
internal static class ClientSettings
{
    // No group decides who reads what, nothing is committed, nothing is skipped silently, and a log callback of our own
    // learns from librdkafka's diagnostics which topic id it reads.
    private static readonly Dictionary<string, string> s_reading = new(StringComparer.Ordinal)
    {
        ["enable.auto.commit"] = "false",
        ["auto.commit.enable"] = "false",
        ["enable.auto.offset.store"] = "false",
        ["auto.offset.reset"] = "error",
        ["isolation.level"] = "read_committed",
        ["enable.partition.eof"] = "true",
        ["log_level"] = "7",
        ["log.queue"] = "false",
    };

    private static readonly Dictionary<string, string> s_ours = new(StringComparer.Ordinal)
    {
        ["bootstrap.servers"] = nameof(KafkaLogOptions.BootstrapServers),
        ["metadata.broker.list"] = nameof(KafkaLogOptions.BootstrapServers),
        ["fetch.wait.max.ms"] = nameof(KafkaLogOptions.FetchWait),
        ["fetch.max.bytes"] = nameof(KafkaLogOptions.FetchBytes),
        ["max.partition.fetch.bytes"] = nameof(KafkaLogOptions.PartitionFetchBytes),
        ["fetch.message.max.bytes"] = nameof(KafkaLogOptions.PartitionFetchBytes),
        ["queued.max.messages.kbytes"] = nameof(KafkaLogOptions.QueueBytes),
    };

    private static readonly string[] s_secrets = ["password", "secret", "key.pem", "token", "jaas", "oauthbearer.config"];

    public static bool IsSecret(string name) =>
        s_secrets.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase));

    /// <summary>The rule that a setting breaks, or null.</summary>
    public static string? Fault(string name, string value)
    {
        if (s_ours.TryGetValue(name, out string? option))
        {
            return $"is set by {nameof(KafkaLogOptions)}.{option}";
        }

        if (s_reading.ContainsKey(name) || name is "group.id" or "group.instance.id")
        {
            return "must be left to the log: its promises rest on it";
        }

        using ConfHandle conf = ConfHandle.Create();
        return NativeClient.TrySet(conf, name, value) is { } fault
            ? IsSecret(name) ? "is not accepted by librdkafka" : $"is not accepted by librdkafka: {fault}"
            : null;
    }

    /// <summary>For clients that ask and administer.</summary>
    public static Dictionary<string, string> ForAdmin(KafkaLogOptions options) => new(options.Client, StringComparer.Ordinal)
    {
        ["bootstrap.servers"] = options.BootstrapServers,
        ["reconnect.backoff.max.ms"] = options.Client.TryGetValue("reconnect.backoff.max.ms", out string? wait) ? wait : "1000",

        // A topic that is asked about and missing is made by whoever knows its settings.
        ["allow.auto.create.topics"] = "false",
    };

    /// <summary>For clients that read.</summary>
    /// <param name="options">The log's options.</param>
    /// <param name="fetchWait">How long a broker may hold a fetch while nothing arrives.</param>
    public static Dictionary<string, string> ForReading(KafkaLogOptions options, TimeSpan fetchWait)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // A record that was damaged on its way or on a disk is an error, never a record.
            ["check.crcs"] = "true",
            // A queue that was full is looked at again after this; librdkafka's second would halve the reading.
            ["fetch.queue.backoff.ms"] = "10",
            // By bytes, not by records.
            ["queued.min.messages"] = "10000000",
            ["socket.keepalive.enable"] = "true",
            ["reconnect.backoff.max.ms"] = "1000",
        };
        foreach ((string name, string value) in options.Client.Concat(s_reading))
        {
            settings[name] = value;
        }

        settings["bootstrap.servers"] = options.BootstrapServers;
        settings["fetch.wait.max.ms"] = Number((long)fetchWait.TotalMilliseconds);
        settings["max.partition.fetch.bytes"] = Number(options.PartitionFetchBytes);
        settings["fetch.max.bytes"] = Number(options.FetchBytes);
        settings["queued.max.messages.kbytes"] = Number(options.QueueBytes >> 10);
        string debug = options.Client.TryGetValue("debug", out string? contexts) ? contexts + "," : "";
        settings["debug"] = debug + NativeClient.TopicIdDiagnostics;
        return settings;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
