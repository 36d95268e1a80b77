using System.Globalization;
using ClickAggregator.Streaming.Kafka;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Shipper.Kafka;

/// <summary>
/// Makes the two topics where they are missing, before anything is sent: a broker that makes topics by itself would give
/// them its own settings. What is there is left as it is; but nothing is sent to a topic that would not be counted.
/// </summary>
internal static partial class ShipTopics
{
    private static readonly TimeSpan s_call = TimeSpan.FromSeconds(15);

    /// <exception cref="KafkaException">The brokers do not answer, or refuse.</exception>
    /// <exception cref="TopicUnfitException">The topic is there and does not fit.</exception>
    public static void Ensure(ShipperOptions options, ILogger logger)
    {
        var trouble = new ClientTrouble();
        using IAdminClient admin = new AdminClientBuilder(ClientSettings.Admin(options))
            .SetLogHandler(trouble.Hear).SetErrorHandler(trouble.Hear).Build();
        Dictionary<string, TopicMetadata> known = Known(admin, trouble);
        bool made = EnsureOne(admin, known, new TopicSpecification
        {
            Name = options.Topic,
            NumPartitions = options.Partitions,
            ReplicationFactor = options.ReplicationFactor ?? -1,
            Configs = new()
            {
                // One clock for the order of repeats: the brokers'.
                [TopicFit.TimestampType] = TopicFit.LogAppendTime,
                [TopicFit.CleanupPolicy] = "delete",
                ["retention.ms"] = ((long)options.Retention.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
            },
        }, logger);
        if (!made)
        {
            RequireFit(admin, options, known.GetValueOrDefault(options.Topic) ?? Known(admin, trouble).GetValueOrDefault(options.Topic));
        }

        EnsureOne(admin, known, new TopicSpecification
        {
            Name = options.PositionsTopicOrDefault,
            NumPartitions = 1,
            ReplicationFactor = options.ReplicationFactor ?? -1,
            Configs = new() { [TopicFit.CleanupPolicy] = "compact" },
        }, logger);
    }

    // Of all topics, not of these: asked for one that is missing, brokers may make it by themselves. And not described: of
    // one with a partition that has no replica in sync, the client library never gives the answer.
    private static Dictionary<string, TopicMetadata> Known(IAdminClient admin, ClientTrouble trouble) =>
        trouble.Call(() => admin.GetMetadata(s_call)).Topics
            .Where(topic => topic.Error.Code != ErrorCode.UnknownTopicOrPart).ToDictionary(topic => topic.Topic);

    private static bool EnsureOne(IAdminClient admin, Dictionary<string, TopicMetadata> known, TopicSpecification topic, ILogger logger)
    {
        if (known.ContainsKey(topic.Name))
        {
            return false;
        }

        try
        {
            admin.CreateTopicsAsync([topic], new CreateTopicsOptions { RequestTimeout = s_call, OperationTimeout = s_call }).GetAwaiter().GetResult();
            LogMade(logger, topic.Name, topic.NumPartitions);
            return true;
        }
        catch (CreateTopicsException error) when (error.Results.All(result => result.Error.Code is ErrorCode.TopicAlreadyExists or ErrorCode.NoError))
        {
            return false; // somebody else was quicker
        }
    }

    private static void RequireFit(IAdminClient admin, ShipperOptions options, TopicMetadata? topic)
    {
        if (topic is null || topic.Error.IsError)
        {
            throw new KafkaException(topic?.Error ?? new Error(ErrorCode.UnknownTopicOrPart, $"topic '{options.Topic}' was made and is not seen yet"));
        }

        List<DescribeConfigsResult> described;
        try
        {
            described = admin.DescribeConfigsAsync(
                [new ConfigResource { Type = ResourceType.Topic, Name = options.Topic }],
                new DescribeConfigsOptions { RequestTimeout = s_call }).GetAwaiter().GetResult();
        }
        catch (DescribeConfigsException fault)
        {
            Error error = fault.Results.Select(each => each.Error).FirstOrDefault(each => each.IsError, fault.Error);
            throw new KafkaException(new Error(error.Code, $"the settings of topic '{options.Topic}' cannot be read: {error.Reason}"), fault);
        }

        if (TopicFit.Fault(options.BootstrapServers, options.Topic, options.Partitions, topic.Partitions.Count, described[0].Entries) is { } unfit)
        {
            throw new TopicUnfitException(unfit);
        }
    }

    [LoggerMessage(1321, LogLevel.Information, "made the topic {Topic} with {Partitions} partitions")]
    private static partial void LogMade(ILogger logger, string topic, int partitions);
}
