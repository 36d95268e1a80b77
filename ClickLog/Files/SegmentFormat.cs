using System.Buffers.Binary;
using System.Globalization;

namespace ClickAggregator.ClickLog.Files;

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

    /// <param name="lastAppendTime">Of the segment before, so that append times never go back.</param>
    public static byte[] Head(Guid logId, int partition, long baseOffset, long lastAppendTime)
    {
        byte[] head = new byte[HeadBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        logId.TryWriteBytes(head.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(24), partition);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(28), baseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(36), lastAppendTime);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(60), BatchFormat.Crc(head.AsSpan(0, 60)));
        return head;
    }

    /// <summary>Whether a head is sound and of this log, partition and offset.</summary>
    public static bool IsSound(ReadOnlySpan<byte> head, Guid logId, int partition, long baseOffset, out long lastAppendTime)
    {
        lastAppendTime = 0;
        if (head.Length < HeadBytes
            || BinaryPrimitives.ReadUInt64LittleEndian(head) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(head[60..]) != BatchFormat.Crc(head[..60])
            || new Guid(head.Slice(8, 16)) != logId
            || BinaryPrimitives.ReadInt32LittleEndian(head[24..]) != partition
            || BinaryPrimitives.ReadInt64LittleEndian(head[28..]) != baseOffset)
        {
            return false;
        }

        lastAppendTime = BinaryPrimitives.ReadInt64LittleEndian(head[36..]);
        return true;
    }
}
