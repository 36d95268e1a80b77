using System.Runtime.InteropServices;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <summary>
/// The functions of librdkafka's C API that reading in batches needs, as rdkafka.h declares them. Everything else goes
/// through Confluent.Kafka.
/// </summary>
internal static unsafe partial class LibRdKafka
{
    /// <summary>Resolved by <see cref="NativeLibraryResolver"/>.</summary>
    public const string Name = "librdkafka";

    static LibRdKafka() => NativeLibraryResolver.Register();

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_new")]
    public static partial nint ConfNew();

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_destroy")]
    public static partial void ConfDestroy(nint conf);

    /// <returns>0; -2 for an unknown name, -1 for an unfit value.</returns>
    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ConfSet(ConfHandle conf, string name, string value, byte* error, nuint errorSize);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_opaque")]
    public static partial void ConfSetOpaque(ConfHandle conf, nint opaque);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_log_cb")]
    public static partial void ConfSetLogCallback(ConfHandle conf, delegate* unmanaged<nint, int, byte*, byte*, void> callback);

    [LibraryImport(Name, EntryPoint = "rd_kafka_conf_set_error_cb")]
    public static partial void ConfSetErrorCallback(ConfHandle conf, delegate* unmanaged<nint, int, byte*, nint, void> callback);

    /// <summary>Takes over the configuration where it succeeds.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_new")]
    public static partial nint New(int type, nint conf, byte* error, nuint errorSize);

    /// <summary>Waits for the client's threads to end.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_destroy")]
    public static partial void Destroy(nint client);

    [LibraryImport(Name, EntryPoint = "rd_kafka_opaque")]
    public static partial nint Opaque(nint client);

    /// <summary>Serves the callbacks of errors that stand in the client's own queue.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_poll")]
    public static partial int Poll(ClientHandle client, int timeoutMilliseconds);

    [LibraryImport(Name, EntryPoint = "rd_kafka_last_error")]
    public static partial int LastError();

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_new", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint TopicNew(ClientHandle client, string topic, nint conf);

    [LibraryImport(Name, EntryPoint = "rd_kafka_topic_destroy")]
    public static partial void TopicDestroy(nint topic);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_new")]
    public static partial nint QueueNew(ClientHandle client);

    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_destroy")]
    public static partial void QueueDestroy(nint queue);

    /// <summary>Calls back when an empty queue gets its first element; under the queue's lock, so never after it was unset.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_queue_cb_event_enable")]
    public static partial void QueueSetCallback(QueueHandle queue, delegate* unmanaged<nint, nint, void> callback, nint opaque);

    [LibraryImport(Name, EntryPoint = "rd_kafka_consume_start_queue")]
    public static partial int ConsumeStart(TopicHandle topic, int partition, long offset, QueueHandle queue);

    /// <summary>Waits until the partition is not fetched any more.</summary>
    [LibraryImport(Name, EntryPoint = "rd_kafka_consume_stop")]
    public static partial int ConsumeStop(TopicHandle topic, int partition);

    [LibraryImport(Name, EntryPoint = "rd_kafka_consume_batch_queue")]
    public static partial nint ConsumeBatch(QueueHandle queue, int timeoutMilliseconds, NativeMessage** messages, nuint size);

    // Reads two fields: not worth a transition of the garbage collector's, at a million calls a second.
    [LibraryImport(Name, EntryPoint = "rd_kafka_message_timestamp"), SuppressGCTransition]
    public static partial long MessageTimestamp(NativeMessage* message, out int type);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_destroy")]
    public static partial void MessageDestroy(NativeMessage* message);

    [LibraryImport(Name, EntryPoint = "rd_kafka_message_headers")]
    public static partial int MessageHeaders(NativeMessage* message, out nint headers);

    [LibraryImport(Name, EntryPoint = "rd_kafka_header_get_last")]
    public static partial int HeaderGetLast(nint headers, byte* name, out byte* value, out nuint size);

    [LibraryImport(Name, EntryPoint = "rd_kafka_header_get_all")]
    public static partial int HeaderGetAll(nint headers, nuint index, out byte* name, out byte* value, out nuint size);
}
