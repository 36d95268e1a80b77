using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Kafka's id of a topic: unlike its name, never given twice. Written as Kafka's own tools write it.</summary>
internal readonly record struct TopicId(long Most, long Least)
{
    public bool IsNone => Most == 0 && Least == 0;

    /// <summary>Reads base64 in either alphabet, padded or not.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out TopicId id)
    {
        Span<byte> urlSafe = stackalloc byte[32];
        Span<byte> bytes = stackalloc byte[24];
        id = default;
        text = text.TrimEnd((byte)'=');
        if (text.Length > urlSafe.Length)
        {
            return false;
        }

        text.CopyTo(urlSafe);
        urlSafe = urlSafe[..text.Length];
        urlSafe.Replace((byte)'+', (byte)'-');
        urlSafe.Replace((byte)'/', (byte)'_');
        if (Base64Url.DecodeFromUtf8(urlSafe, bytes, out _, out int length) != OperationStatus.Done || length != 16)
        {
            return false;
        }

        id = new TopicId(BinaryPrimitives.ReadInt64BigEndian(bytes), BinaryPrimitives.ReadInt64BigEndian(bytes[8..]));
        return true;
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Most);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], Least);
        return Base64Url.EncodeToString(bytes);
    }
}
