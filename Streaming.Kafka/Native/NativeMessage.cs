using System.Runtime.InteropServices;

namespace ClickAggregator.Streaming.Kafka.Native;

/// <summary><c>rd_kafka_message_t</c> of rdkafka.h: a record, or an error in its place.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeMessage
{
    public int Error;
    public nint Topic;
    public int Partition;

    /// <summary>The value, null where the record has none; the text of an error.</summary>
    public byte* Payload;
    public nuint Length;
    public byte* Key;
    public nuint KeyLength;

    /// <summary>The record's offset; for the end of the partition, the reader's position.</summary>
    public long Offset;
    public nint Private;
}
