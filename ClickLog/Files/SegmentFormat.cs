using System.Buffers.Binary;
using System.Globalization;

namespace ClickAggregator.ClickLog.Files;

/// <summary>What the first bytes of a segment file turned out to be.</summary>
internal enum SegmentHeadState
{
    /// <summary>The head of this segment.</summary>
    Sound,

    /// <summary>Not a head any more; the file's name still says where it starts.</summary>
    Damaged,

    /// <summary>The head of another log's, partition's or offset's segment: somebody put the file there.</summary>
    Foreign,
}

/// <summary>What a sound head says beside what is known already.</summary>
/// <param name="LastAppendTime">Of the segment before, so that append times never go back.</param>
/// <param name="Partitions">How many the log was made with.</param>
internal readonly record struct SegmentHead(long LastAppendTime, int Partitions);

/// <summary>The head of a segment file, and its name.</summary>
internal static class SegmentFormat
{
    public const int HeadBytes = 64;
    private const ulong Magic = 0x31474F4C4B434C43; // "CLCKLOG1"

    public static string FileName(long baseOffset) => baseOffset.ToString("D20", CultureInfo.InvariantCulture) + ".log";

    public static bool TryParseName(string path, out long baseOffset)
    {
        baseOffset = 0;
        string name = Path.GetFileName(path);
        return name.Length == 24 && name.EndsWith(".log", StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out baseOffset);
    }

    public static byte[] Head(Guid logId, int partition, long baseOffset, in SegmentHead says)
    {
        byte[] head = new byte[HeadBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        logId.TryWriteBytes(head.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(24), partition);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(28), baseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(36), says.LastAppendTime);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(44), says.Partitions);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(60), BatchFormat.Crc(head.AsSpan(0, 60)));
        return head;
    }

    public static SegmentHeadState Read(ReadOnlySpan<byte> head, Guid logId, int partition, long baseOffset, out SegmentHead says)
    {
        says = default;
        if (head.Length < HeadBytes
            || BinaryPrimitives.ReadUInt64LittleEndian(head) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(head[60..]) != BatchFormat.Crc(head[..60]))
        {
            return SegmentHeadState.Damaged;
        }

        if (new Guid(head.Slice(8, 16)) != logId
            || BinaryPrimitives.ReadInt32LittleEndian(head[24..]) != partition
            || BinaryPrimitives.ReadInt64LittleEndian(head[28..]) != baseOffset)
        {
            return SegmentHeadState.Foreign;
        }

        says = new SegmentHead(BinaryPrimitives.ReadInt64LittleEndian(head[36..]), BinaryPrimitives.ReadInt32LittleEndian(head[44..]));
        return SegmentHeadState.Sound;
    }
}
