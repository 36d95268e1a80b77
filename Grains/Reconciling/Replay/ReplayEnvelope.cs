using System.Buffers.Binary;

namespace ClickAggregator.Grains.Reconciling.Replay;

/// <summary>
/// What a replayed click says of itself, before the record as the click log has it: where it was first, which is used in place of
/// where it is now, and for whom it was sent.
/// </summary>
/// <param name="Replay">Whose it is: each try of each unit has an id of its own, and believes no other record.</param>
/// <param name="Run">The run's number.</param>
/// <param name="Chain">The chain that the click was first counted in.</param>
/// <param name="Hour">The hour that is recounted, since the epoch.</param>
/// <param name="Partition">The partition that it first was in.</param>
/// <param name="Offset">The offset that it had there.</param>
/// <param name="Timestamp">When that log took it, milliseconds since the epoch.</param>
/// <param name="Taken">It is taken back: it does not count, and later records repeat it all the same.</param>
public readonly record struct ReplayEnvelope(Guid Replay, long Run, int Chain, int Hour, int Partition, long Offset, long Timestamp, bool Taken)
{
    /// <summary>The first byte; no record of a click begins with it.</summary>
    public const byte Version = (byte)'R';

    /// <summary>How many bytes it takes.</summary>
    public const int Bytes = 54;

    /// <summary>Writes it; <see cref="Bytes"/> bytes.</summary>
    public void Write(Span<byte> to)
    {
        to[0] = Version;
        to[1] = Taken ? (byte)1 : (byte)0;
        Replay.TryWriteBytes(to[2..18]);
        BinaryPrimitives.WriteInt64LittleEndian(to[18..], Run);
        BinaryPrimitives.WriteInt32LittleEndian(to[26..], Chain);
        BinaryPrimitives.WriteInt32LittleEndian(to[30..], Hour);
        BinaryPrimitives.WriteInt32LittleEndian(to[34..], Partition);
        BinaryPrimitives.WriteInt64LittleEndian(to[38..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(to[46..], Timestamp);
    }

    /// <summary>Reads what <see cref="Write"/> wrote; false where the bytes do not begin with one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ReplayEnvelope envelope)
    {
        if (bytes.Length < Bytes || bytes[0] != Version || bytes[1] > 1)
        {
            envelope = default;
            return false;
        }

        envelope = new ReplayEnvelope(
            new Guid(bytes[2..18]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[18..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[26..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[30..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[34..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[38..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[46..]),
            bytes[1] == 1);
        return true;
    }
}
