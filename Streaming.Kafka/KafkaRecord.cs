using System.Runtime.InteropServices;
using System.Text;
using ClickAggregator.Streaming.Kafka.Native;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>A record where it lies in the client library's memory: nothing of it may be kept.</summary>
public readonly unsafe ref struct KafkaRecord
{
    private readonly NativeMessage* _message;

    internal KafkaRecord(NativeMessage* message) => _message = message;

    public long Offset => _message->Offset;

    /// <summary>Empty where there is none.</summary>
    public ReadOnlySpan<byte> Key => new(_message->Key, checked((int)_message->KeyLength));

    /// <summary>Whether the record has no key at all.</summary>
    public bool HasNoKey => _message->Key is null;

    /// <summary>Empty where there is none.</summary>
    public ReadOnlySpan<byte> Value => new(_message->Payload, checked((int)_message->Length));

    /// <summary>Whether the record has no value at all: in a compacted topic, a removal of its key.</summary>
    public bool IsNull => _message->Payload is null;

    /// <summary>The last header of a name; false where there is none.</summary>
    public bool TryGetHeader(string name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (LibRdKafka.MessageHeaders(_message, out nint headers) != 0)
        {
            return false;
        }

        int length = Encoding.UTF8.GetMaxByteCount(name.Length) + 1;
        Span<byte> text = length <= 256 ? stackalloc byte[length] : new byte[length];
        text[Encoding.UTF8.GetBytes(name, text)] = 0;
        byte* found;
        nuint size;
        fixed (byte* terminated = text)
        {
            if (LibRdKafka.HeaderGetLast(headers, terminated, out found, out size) != 0)
            {
                return false;
            }
        }

        value = new ReadOnlySpan<byte>(found, checked((int)size));
        return true;
    }

    /// <summary>A header by its place among all of them; false behind the last one.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="name">Its name, in UTF-8.</param>
    /// <param name="value">Empty where there is none.</param>
    /// <param name="isNull">Whether the header has no value at all.</param>
    public bool TryGetHeader(int index, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool isNull)
    {
        name = default;
        value = default;
        isNull = true;
        if (LibRdKafka.MessageHeaders(_message, out nint headers) != 0
            || LibRdKafka.HeaderGetAll(headers, (nuint)index, out byte* foundName, out byte* found, out nuint size) != 0)
        {
            return false;
        }

        name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(foundName);
        value = new ReadOnlySpan<byte>(found, checked((int)size));
        isNull = found is null;
        return true;
    }
}
