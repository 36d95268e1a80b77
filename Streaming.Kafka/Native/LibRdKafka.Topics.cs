using System.Runtime.InteropServices;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <content>What it takes to describe a topic.</content>
internal static unsafe partial class LibRdKafka
{
    [LibraryImport(Name, EntryPoint = "rd_kafka_TopicCollection_of_topic_names", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint TopicCollection(string[] topics, nuint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_TopicCollection_destroy")]
    public static partial void TopicCollectionDestroy(nint topics);

    [LibraryImport(Name, EntryPoint = "rd_kafka_AdminOptions_new")]
    public static partial nint AdminOptionsNew(ClientHandle client, int operation);

    [LibraryImport(Name, EntryPoint = "rd_kafka_AdminOptions_set_request_timeout")]
    public static partial int AdminOptionsSetRequestTimeout(nint options, int milliseconds, byte* error, nuint errorSize);

    [LibraryImport(Name, EntryPoint = "rd_kafka_AdminOptions_destroy")]
    public static partial void AdminOptionsDestroy(nint options);

    /// <summary>The answer comes into the queue, also that there is none in time.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_DescribeTopics")]
    public static partial void DescribeTopics(ClientHandle client, nint topics, nint options, QueueHandle queue);

    /// <returns>An event, to be destroyed; 0 for none in time.</returns>
    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_poll")]
    public static partial nint QueuePoll(QueueHandle queue, int timeoutMilliseconds);

    [LibraryImport(Name, EntryPoint = "rd_kafka_event_destroy")]
    public static partial void EventDestroy(nint @event);

    [LibraryImport(Name, EntryPoint = "rd_kafka_event_error")]
    public static partial int EventError(nint @event);

    [LibraryImport(Name, EntryPoint = "rd_kafka_event_error_string")]
    public static partial byte* EventErrorString(nint @event);

    // What these return is the event's, and goes with it.
    [LibraryImport(Name, EntryPoint = "rd_kafka_event_DescribeTopics_result")]
    public static partial nint EventDescribedTopics(nint @event);

    [LibraryImport(Name, EntryPoint = "rd_kafka_DescribeTopics_result_topics")]
    public static partial nint* DescribedTopics(nint result, out nuint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_TopicDescription_error")]
    public static partial nint TopicError(nint topic);

    [LibraryImport(Name, EntryPoint = "rd_kafka_TopicDescription_topic_id")]
    public static partial nint TopicUuid(nint topic);

    [LibraryImport(Name, EntryPoint = "rd_kafka_TopicDescription_partitions")]
    public static partial nint* TopicPartitions(nint topic, out nuint count);

    [LibraryImport(Name, EntryPoint = "rd_kafka_Uuid_most_significant_bits")]
    public static partial long UuidMost(nint id);

    [LibraryImport(Name, EntryPoint = "rd_kafka_Uuid_least_significant_bits")]
    public static partial long UuidLeast(nint id);

    /// <returns>0 also for none.</returns>
    [LibraryImport(Name, EntryPoint = "rd_kafka_error_code")]
    public static partial int ErrorCodeOf(nint error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_error_string")]
    public static partial byte* ErrorString(nint error);

    [LibraryImport(Name, EntryPoint = "rd_kafka_metadata")]
    public static partial int Metadata(ClientHandle client, int allTopics, nint topic, out nint metadata, int timeoutMilliseconds);

    [LibraryImport(Name, EntryPoint = "rd_kafka_metadata_destroy")]
    public static partial void MetadataDestroy(nint metadata);
}
