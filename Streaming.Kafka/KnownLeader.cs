using Confluent.Kafka;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>
/// Lets a client learn who leads a partition before it asks for offsets. librdkafka 2.16 looks for a leader that it does not know on the
/// caller's thread and on its own at once (<c>rd_kafka_topic_partition_list_query_leaders_async</c>); where the brokers' answer comes in
/// between, it goes on with what it has freed, and the process ends. A leader that it knows it does not look for. This file is part of all
/// programs that ask for offsets.
/// </summary>
internal static class KnownLeader
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks once. It blocks.</summary>
    /// <exception cref="KafkaException">There is none now, or the brokers do not answer.</exception>
    public static void Require(IAdminClient admin, string topic, int partition, TimeSpan timeout)
    {
        TopicMetadata found = admin.GetMetadata(topic, timeout).Topics[0];
        if (found.Error.IsError && found.Error.Code is not (Confluent.Kafka.ErrorCode.UnknownTopicOrPart or Confluent.Kafka.ErrorCode.LeaderNotAvailable))
        {
            throw new KafkaException(found.Error);
        }

        if (found.Partitions.Find(one => one.PartitionId == partition) is not { Leader: >= 0 })
        {
            throw new KafkaException(new Error(Confluent.Kafka.ErrorCode.LeaderNotAvailable, $"nobody leads partition {partition} of topic '{topic}' now"));
        }
    }

    /// <summary>Asks until there is one: a topic that was just made has none yet. It blocks.</summary>
    /// <exception cref="KafkaException">There was none all the time, or the brokers do not answer.</exception>
    public static void Wait(IAdminClient admin, string topic, int partition, TimeSpan timeout, CancellationToken cancellationToken)
    {
        for (TimeSpan waited = TimeSpan.Zero; ; waited += s_look)
        {
            try
            {
                Require(admin, topic, partition, timeout);
                return;
            }
            catch (KafkaException none) when (none.Error.Code == Confluent.Kafka.ErrorCode.LeaderNotAvailable && waited < timeout)
            {
                cancellationToken.WaitHandle.WaitOne(s_look);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}
