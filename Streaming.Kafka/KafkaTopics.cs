using System.Globalization;
using ClickAggregator.Streaming.Kafka.Native;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Makes sure that a topic is there and fit to be a log.</summary>
public static class KafkaTopics
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Creates the topic of the options if it is missing. An existing one needs at least as many partitions, append times
    /// given by the broker, and no compaction; its retention and replication are left as they are.
    /// </summary>
    /// <returns>Whether it was created here.</returns>
    /// <exception cref="KafkaLogException">
    /// Kafka could not be asked; or the topic does not fit, and the text has the command for each thing to change.
    /// </exception>
    public static async Task<bool> EnsureAsync(
        KafkaLogOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ThrowIfFaulty(nameof(options));

        ILogger logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<KafkaPartitionLog>();
        time ??= TimeProvider.System;
        using var cluster = new ClusterView(options, time, logger);
        bool created = await FindAsync(cluster, cancellationToken) is null
            && await CreateAsync(cluster, options, logger, cancellationToken);
        int partitions = await SeenAsync(cluster, options, time, cancellationToken);
        Dictionary<string, ConfigEntryResult> settings = await SettingsAsync(cluster, options, cancellationToken);
        return TopicFit.Fault(options.BootstrapServers, options.Topic, options.Partitions, partitions, settings) is { } fault
            ? throw new KafkaLogException(ErrorCode.InvalidConfig, fault, isTransient: false)
            : created;
    }

    private static async Task<int?> FindAsync(ClusterView cluster, CancellationToken cancellationToken)
    {
        try
        {
            return (await cluster.TopicAsync(cancellationToken)).Partitions;
        }
        catch (KafkaLogException fault) when (fault.Code == ErrorCode.UnknownTopicOrPart)
        {
            return null;
        }
    }

    private static async Task<bool> CreateAsync(
        ClusterView cluster, KafkaLogOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        var topic = new TopicSpecification
        {
            Name = options.Topic,
            NumPartitions = options.Partitions,
            ReplicationFactor = options.ReplicationFactor,
            Configs = new Dictionary<string, string>
            {
                [TopicFit.TimestampType] = TopicFit.LogAppendTime,
                [TopicFit.CleanupPolicy] = "delete",
                ["retention.ms"] = ((long)options.Retention.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
            },
        };
        var limits = new CreateTopicsOptions { RequestTimeout = options.RequestTimeout, OperationTimeout = options.RequestTimeout };
        try
        {
            await cluster.AskAsync(
                async () =>
                {
                    await cluster.Admin.CreateTopicsAsync([topic], limits);
                    return true;
                },
                cancellationToken);
        }
        catch (KafkaLogException fault) when (fault.Code == ErrorCode.TopicAlreadyExists)
        {
            // Somebody else was faster: his topic is looked at like any other.
            return false;
        }

        KafkaEvents.TopicCreated(logger, options.Topic, options.Partitions, options.Retention);
        return true;
    }

    /// <summary>Waits until the brokers know of the topic: the one that is asked may be behind the one that created it.</summary>
    private static async Task<int> SeenAsync(
        ClusterView cluster, KafkaLogOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            if (await FindAsync(cluster, cancellationToken) is { } partitions)
            {
                return partitions;
            }

            if (time.GetElapsedTime(started) > options.RequestTimeout)
            {
                throw NativeErrors.ToException(ErrorCode.Local_TimedOut, $"topic '{options.Topic}' was created and is not seen yet", null);
            }

            await Task.Delay(s_look, time, cancellationToken);
        }
    }

    private static async Task<Dictionary<string, ConfigEntryResult>> SettingsAsync(
        ClusterView cluster, KafkaLogOptions options, CancellationToken cancellationToken)
    {
        List<DescribeConfigsResult> results = await cluster.AskAsync(
            () => cluster.Admin.DescribeConfigsAsync(
                [new ConfigResource { Type = ResourceType.Topic, Name = options.Topic }],
                new DescribeConfigsOptions { RequestTimeout = options.RequestTimeout }),
            cancellationToken);
        return results[0].Entries;
    }
}
