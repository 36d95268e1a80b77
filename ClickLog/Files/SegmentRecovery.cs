using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Files;

/// <summary>Damage that was found in the log.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="FromOffset">The first offset lost.</param>
/// <param name="ToOffset">The offset after the last lost.</param>
/// <param name="File">The segment.</param>
/// <param name="Position">Where in the file.</param>
/// <param name="Reason">What is wrong there.</param>
public sealed record LogDamage(int Partition, long FromOffset, long ToOffset, string File, long Position, string Reason);

/// <summary>What is left of a segment after its end was looked at.</summary>
/// <param name="Length">How much of the file is sound; what is behind it is a torn tail.</param>
/// <param name="NextOffset">The offset that the next record gets.</param>
/// <param name="LastAppendTime">Append time of the last batch.</param>
/// <param name="Torn">Why the tail is cut; null where there is none.</param>
internal sealed record RecoveredSegment(long Length, long NextOffset, long LastAppendTime, string? Torn);

/// <summary>
/// Walks the last segment of a partition on start: indexes it, collects the markers, finds the torn tail. A batch
/// that is not whole was never acknowledged, so it is cut away; damage with sound batches behind it is kept, and
/// readers report it.
/// </summary>
internal static class SegmentRecovery
{
    public static RecoveredSegment Recover(Segment segment, long lastAppendTime, IDictionary<string, SourceMarker> markers)
    {
        long length = RandomAccess.GetLength(segment.Handle);
        long position = SegmentFormat.HeadBytes;
        long next = segment.BaseOffset;
        byte[] buffer = new byte[1 << 20];
        while (position < length)
        {
            int have = ReadAt(segment.Handle, buffer, position);
            if (!BatchFormat.TryReadHead(buffer.AsSpan(0, have), out BatchHead head) || head.BaseOffset < next)
            {
                long sound = FindHead(segment.Handle, position + 1, length, next, buffer);
                if (sound < 0)
                {
                    return new RecoveredSegment(position, next, lastAppendTime, "no sound batch head");
                }

                position = sound; // readers find the gap by the offsets on both sides
                continue;
            }

            if (position + head.TotalBytes > length)
            {
                return new RecoveredSegment(position, next, lastAppendTime, "the last batch is not whole");
            }

            // Only the last batch may have been written in part with the file already at full length.
            if (position + head.TotalBytes == length && !LastRecordIsSound(segment.Handle, position, head))
            {
                return new RecoveredSegment(position, next, lastAppendTime, "the last batch's end is not sound");
            }

            if (BatchFormat.ReadMarker(buffer.AsSpan(0, have), head) is SourceMarker marker)
            {
                markers[marker.Source] = marker;
            }

            segment.Note(head.BaseOffset, position);
            position += head.TotalBytes;
            next = head.NextOffset;
            lastAppendTime = Math.Max(lastAppendTime, head.AppendTime);
        }

        return new RecoveredSegment(position, next, lastAppendTime, null);
    }

    /// <summary>The position of the next sound head whose offset is not below <paramref name="next"/>; -1 for none.</summary>
    public static long FindHead(SafeFileHandle file, long position, long length, long next, byte[] buffer)
    {
        while (position < length)
        {
            int have = ReadAt(file, buffer, position);
            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, have);
            int at = 0;
            while (true)
            {
                int found = bytes[at..].IndexOf("CLKB"u8);
                if (found < 0)
                {
                    break;
                }

                at += found;
                if (have - at < BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes && position + have < length)
                {
                    break; // look at it again with more behind it
                }

                if (BatchFormat.TryReadHead(bytes[at..], out BatchHead head) && head.BaseOffset >= next && position + at + head.TotalBytes <= length)
                {
                    return position + at;
                }

                at++;
            }

            // The magic may lie across the edge of two reads.
            int left = have - (BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes);
            if (left <= 0 || position + have >= length)
            {
                return -1;
            }

            position += left;
        }

        return -1;
    }

    public static int ReadAt(SafeFileHandle file, Span<byte> buffer, long position)
    {
        int have = 0;
        while (have < buffer.Length)
        {
            int got = RandomAccess.Read(file, buffer[have..], position + have);
            if (got == 0)
            {
                break;
            }

            have += got;
        }

        return have;
    }

    private static bool LastRecordIsSound(SafeFileHandle file, long position, in BatchHead head)
    {
        byte[] batch = new byte[head.TotalBytes];
        if (ReadAt(file, batch, position) < batch.Length)
        {
            return false;
        }

        int at = head.HeadBytes;
        bool sound = head.Count == 0;
        for (int n = 0; n < head.Count && at < batch.Length; n++)
        {
            sound = BatchFormat.ReadFrame(batch.AsSpan(at), out int claimed) >= 0;
            at += claimed;
        }

        return sound && at == batch.Length;
    }
}
