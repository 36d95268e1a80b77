using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Shipper.Kafka;

/// <summary>
/// Makes the two topics where they are missing, before anything is sent: a broker that makes topics by itself would give
/// them its own settings. What is there is left as it is; whoever counts from it checks it.
/// </summary>
internal static partial class ShipTopics
{
    private static readonly TimeSpan s_call = TimeSpan.FromSeconds(15);

    /// <exception cref="KafkaException">The brokers do not answer, or refuse.</exception>
    public static void Ensure(ShipperOptions options, ILogger logger)
    {
        var trouble = new ClientTrouble();
        using IAdminClient admin = new AdminClientBuilder(ClientSettings.Admin(options))
            .SetLogHandler(trouble.Hear).SetErrorHandler(trouble.Hear).Build();

        // Of all topics, not of these: asked for one that is missing, brokers may make it by themselves. And not described: of
        // one with a partition that has no replica in sync, the client library never gives the answer.
        HashSet<string> known = [.. trouble.Call(() => admin.GetMetadata(s_call)).Topics
            .Where(topic => topic.Error.Code != ErrorCode.UnknownTopicOrPart).Select(topic => topic.Topic)];
        EnsureOne(admin, known, new TopicSpecification
        {
            Name = options.Topic,
            NumPartitions = options.Partitions,
            ReplicationFactor = options.ReplicationFactor ?? -1,
            Configs = new()
            {
                // One clock for the order of repeats: the brokers'.
                ["message.timestamp.type"] = "LogAppendTime",
                ["retention.ms"] = ((long)options.Retention.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
            },
        }, logger);
        EnsureOne(admin, known, new TopicSpecification
        {
            Name = options.PositionsTopicOrDefault,
            NumPartitions = 1,
            ReplicationFactor = options.ReplicationFactor ?? -1,
            Configs = new() { ["cleanup.policy"] = "compact" },
        }, logger);
    }

    private static void EnsureOne(IAdminClient admin, HashSet<string> known, TopicSpecification topic, ILogger logger)
    {
        if (known.Contains(topic.Name))
        {
            return;
        }

        try
        {
            admin.CreateTopicsAsync([topic], new CreateTopicsOptions { RequestTimeout = s_call, OperationTimeout = s_call }).GetAwaiter().GetResult();
            LogMade(logger, topic.Name, topic.NumPartitions);
        }
        catch (CreateTopicsException error) when (error.Results.All(result => result.Error.Code is ErrorCode.TopicAlreadyExists or ErrorCode.NoError))
        {
            // Somebody else was quicker.
        }
    }

    [LoggerMessage(1321, LogLevel.Information, "made the topic {Topic} with {Partitions} partitions")]
    private static partial void LogMade(ILogger logger, string topic, int partitions);
}
