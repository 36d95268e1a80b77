using System.Buffers;
using System.Buffers.Binary;

namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol;

/// <summary>The nine bytes before each body (section 2).</summary>
internal readonly record struct FrameHeader(FrameFlags Flags, short Stream, Opcode Opcode, int Length)
{
    public const int Size = 9;

    private const byte RequestVersion = 0x04;
    private const byte ResponseVersion = 0x84;

    /// <summary>The header of an answer; false while it has not come as a whole.</summary>
    /// <exception cref="CqlProtocolException">Another version, a length that is negative or too large, flags that were not negotiated.</exception>
    public static bool TryRead(in ReadOnlySequence<byte> bytes, int maxFrameBytes, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < Size)
        {
            return false;
        }

        Span<byte> head = stackalloc byte[Size];
        bytes.Slice(0, Size).CopyTo(head);
        if (head[0] != ResponseVersion)
        {
            throw new CqlProtocolException((head[0] & 0x80) != 0
                ? $"The server answers with version {head[0] & 0x7F} of the protocol; this client speaks version 4"
                : $"This is no server of CQL: its answer begins with the byte {head[0]:x2}");
        }

        header = new FrameHeader(
            (FrameFlags)head[1], BinaryPrimitives.ReadInt16BigEndian(head[2..]), (Opcode)head[4], BinaryPrimitives.ReadInt32BigEndian(head[5..]));
        if (header.Length < 0 || header.Length > maxFrameBytes)
        {
            throw new CqlProtocolException($"The server announces a frame of {(uint)header.Length} bytes; {maxFrameBytes} are allowed");
        }

        return (header.Flags & FrameFlags.Compressed) == 0
            ? true
            : throw new CqlProtocolException("The server sends a compressed frame; no compression was agreed upon");
    }

    /// <summary>Writes the header of a request; its length is filled in by <see cref="Complete"/>.</summary>
    public static int Begin(CqlBuffer buffer, short stream, Opcode opcode)
    {
        int start = buffer.Length;
        Span<byte> head = buffer.Take(Size);
        head[0] = RequestVersion;
        head[1] = 0;
        BinaryPrimitives.WriteInt16BigEndian(head[2..], stream);
        head[4] = (byte)opcode;
        return start;
    }

    /// <returns>The length of the body.</returns>
    public static int Complete(CqlBuffer buffer, int start)
    {
        int length = buffer.Length - start - Size;
        buffer.PatchInt(start + 5, length);
        return length;
    }
}

/// <summary>What stands before a body (section 2.2).</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,
    Compressed = 0x01,
    Tracing = 0x02,
    CustomPayload = 0x04,
    Warning = 0x08,
}
