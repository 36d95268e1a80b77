using System.Text;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>A top list in bytes: for each entry the length of its id, the id, and a varint.</summary>
internal static class TopCodec
{
    /// <exception cref="OverflowException">An id is longer than 255 bytes.</exception>
    public static byte[] Write(IReadOnlyList<TopEntry> entries)
    {
        byte[] bytes = new byte[entries.Sum(entry => 1 + Encoding.UTF8.GetByteCount(entry.Id) + 10)];
        int at = 0;
        foreach (TopEntry entry in entries)
        {
            int length = Encoding.UTF8.GetBytes(entry.Id, bytes.AsSpan(at + 1));
            bytes[at] = checked((byte)length);
            at = CountCodec.WriteVarint(bytes, at + 1 + length, entry.Clicks);
        }

        return bytes[..at];
    }

    /// <summary>Null where the bytes are damaged: then there is no list, until it is written again.</summary>
    public static List<TopEntry>? TryRead(ReadOnlySpan<byte> bytes)
    {
        var entries = new List<TopEntry>();
        int at = 0;
        while (at < bytes.Length)
        {
            int length = bytes[at];
            if (at + 1 + length > bytes.Length)
            {
                return null;
            }

            string id = Encoding.UTF8.GetString(bytes.Slice(at + 1, length));
            at += 1 + length;
            if (!CountCodec.TryReadVarint(bytes, ref at, out long clicks))
            {
                return null;
            }

            entries.Add(new TopEntry(id, clicks));
        }

        return entries;
    }
}
