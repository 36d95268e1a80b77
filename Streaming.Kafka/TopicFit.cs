using System.Globalization;
using Confluent.Kafka.Admin;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// What a topic needs to be a log. Whoever writes to it asks the same as whoever reads it: this file is part of both programs.
/// </summary>
internal static class TopicFit
{
    // The broker's clock is the only one that a record's time comes from.
    public const string TimestampType = "message.timestamp.type";
    public const string LogAppendTime = "LogAppendTime";

    // A compacted topic forgets records from its middle: a range that is read again would not be the same.
    public const string CleanupPolicy = "cleanup.policy";

    /// <summary>Why a topic does not fit, with the command for each thing to change; null where it does.</summary>
    /// <param name="servers">The brokers, for the commands.</param>
    /// <param name="topic">Its name.</param>
    /// <param name="asked">How many partitions it needs at least.</param>
    /// <param name="partitions">How many it has.</param>
    /// <param name="settings">Its settings, as the brokers describe them.</param>
    public static string? Fault(string servers, string topic, int asked, int partitions, IReadOnlyDictionary<string, ConfigEntryResult> settings)
    {
        string[] unfit = [.. Unfit($"--bootstrap-server {servers}", topic, asked, partitions, settings)];
        return unfit.Length == 0 ? null : $"topic '{topic}' {string.Join("; and it ", unfit)}";
    }

    private static IEnumerable<string> Unfit(
        string server, string topic, int asked, int partitions, IReadOnlyDictionary<string, ConfigEntryResult> settings)
    {
        if (partitions < asked)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"has {partitions} partitions where {asked} are asked for: either ask for {partitions}, or run (keys will move between partitions) kafka-topics.sh {server} --alter --topic {topic} --partitions {asked}");
        }

        string change = $"kafka-configs.sh {server} --alter --entity-type topics --entity-name {topic} --add-config";
        if (settings[TimestampType].Value is var type && type != LogAppendTime)
        {
            yield return $"has {TimestampType}={type}, which lets every writer's clock into the log: run {change} {TimestampType}={LogAppendTime}";
        }

        if (settings[CleanupPolicy].Value is var policy && policy.Contains("compact", StringComparison.Ordinal))
        {
            yield return $"has {CleanupPolicy}={policy}, which removes records from its middle: run {change} {CleanupPolicy}=delete";
        }
    }
}
