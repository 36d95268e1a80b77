using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace ClickAggregator.ClickLog.Files;

/// <summary>What a log watcher notes beside the clicks that it read: bytes <c>[From, To)</c> of a source are in here.</summary>
/// <param name="Source">The source's id, at most 200 bytes of UTF-8.</param>
/// <param name="From">First byte.</param>
/// <param name="To">The byte after the last.</param>
public sealed record SourceMarker(string Source, long From, long To);

/// <summary>The head of a batch. The layout is in this project's README.</summary>
internal readonly record struct BatchHead(int TotalBytes, int HeadBytes, int Count, long BaseOffset, long AppendTime)
{
    public long NextOffset => BaseOffset + Count;
}

/// <summary>Reads and writes batch heads and the frames of records.</summary>
internal static class BatchFormat
{
    public const uint Magic = 0x424B4C43; // "CLKB"
    public const int FixedBytes = 36;
    public const int FrameBytes = 6;
    public const int MaxMarkerBytes = 256;
    public const int MaxSourceBytes = 200;

    /// <summary>A batch larger than this was never written: a length beyond it is damage.</summary>
    public const int MaxBatchBytes = 64 << 20;

    /// <summary>Writes a head (and its marker) and returns its length.</summary>
    public static int WriteHead(Span<byte> to, int recordBytes, int count, long baseOffset, long appendTime, SourceMarker? marker)
    {
        int markerBytes = 0;
        if (marker is not null)
        {
            Span<byte> at = to[FixedBytes..];
            BinaryPrimitives.WriteInt64LittleEndian(at, marker.From);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], marker.To);
            markerBytes = 16 + Encoding.UTF8.GetBytes(marker.Source, at[16..MaxMarkerBytes]);
        }

        int head = FixedBytes + markerBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], head + recordBytes);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], count);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], baseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], appendTime);
        BinaryPrimitives.WriteInt32LittleEndian(to[32..], markerBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Crc(to[8..head]));
        return head;
    }

    /// <summary>Reads a head; false where the bytes are too few or not a sound head.</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> bytes, out BatchHead head)
    {
        head = default;
        if (bytes.Length < FixedBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
        {
            return false;
        }

        int markerBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]);
        int total = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        int headBytes = FixedBytes + markerBytes;
        if ((uint)markerBytes > MaxMarkerBytes || bytes.Length < headBytes || total < headBytes || total > MaxBatchBytes || count < 0
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Crc(bytes[8..headBytes]))
        {
            return false;
        }

        head = new BatchHead(
            total, headBytes, count, BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]));
        return true;
    }

    /// <summary>The marker of a sound head, if it has one.</summary>
    public static SourceMarker? ReadMarker(ReadOnlySpan<byte> bytes, in BatchHead head) =>
        head.HeadBytes < FixedBytes + 16
            ? null
            : new SourceMarker(
                Encoding.UTF8.GetString(bytes[(FixedBytes + 16)..head.HeadBytes]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[FixedBytes..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[(FixedBytes + 8)..]));

    /// <summary>Frames a record that was written at <c>frame[FrameBytes..]</c>.</summary>
    public static void WriteFrame(Span<byte> frame, int recordBytes)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(frame[4..], (ushort)recordBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Crc(frame.Slice(4, 2 + recordBytes)));
    }

    /// <summary>
    /// The length of the record whose frame starts the bytes, or -1 where it is damaged. A damaged length is not
    /// known from a damaged record, so what follows in the batch is lost with it unless the frame itself fits.
    /// </summary>
    public static int ReadFrame(ReadOnlySpan<byte> bytes, out int claimed)
    {
        claimed = bytes.Length < FrameBytes ? bytes.Length : FrameBytes + BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        return bytes.Length >= FrameBytes && claimed <= bytes.Length
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Crc(bytes[4..claimed])
            ? claimed - FrameBytes
            : -1;
    }

    /// <summary>Steps over damaged records, up to the first sound one; false where the batch ends first.</summary>
    /// <param name="bytes">Ends where the batch does, or before it where its end is gone.</param>
    /// <param name="count">How many records the batch has.</param>
    /// <param name="n">The record to start with, then the sound one.</param>
    /// <param name="at">Where its frame starts.</param>
    public static bool SkipDamaged(ReadOnlySpan<byte> bytes, int count, ref int n, ref int at)
    {
        for (; n < count; n++)
        {
            if (ReadFrame(bytes[at..], out int claimed) >= 0)
            {
                return true;
            }

            at = Math.Min(bytes.Length, at + claimed);
        }

        return false;
    }

    /// <summary>CRC-32C, by the processor's own instruction.</summary>
    public static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (ulong eight in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            crc = BitOperations.Crc32C(crc, eight);
        }

        foreach (byte one in bytes[(bytes.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, one);
        }

        return ~crc;
    }
}
