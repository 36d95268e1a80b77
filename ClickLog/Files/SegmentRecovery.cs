using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Files;

/// <summary>What is in a segment.</summary>
/// <param name="Length">How much of the file can be read; what is behind it is torn.</param>
/// <param name="NextOffset">The offset that the next record gets.</param>
/// <param name="LastAppendTime">Append time of the last batch.</param>
/// <param name="Torn">Why the walk ended before the file did; null where it did not.</param>
internal sealed record RecoveredSegment(long Length, long NextOffset, long LastAppendTime, string? Torn);

/// <summary>
/// Walks the last segment of a partition on start: indexes it, collects the markers, finds the torn tail. A last
/// batch that is not whole ends the walk; damage with sound batches behind it does not, and readers report it.
/// </summary>
internal static class SegmentRecovery
{
    /// <param name="segment">The segment.</param>
    /// <param name="lastAppendTime">Of the segment before.</param>
    /// <param name="acknowledged">What is below this position was acknowledged: damage there is no torn tail.</param>
    /// <param name="markers">Takes the last marker of each source.</param>
    public static RecoveredSegment Walk(Segment segment, long lastAppendTime, long acknowledged, IDictionary<string, SourceMarker> markers)
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

            long end = position + head.TotalBytes;
            if (end > length)
            {
                return new RecoveredSegment(position, next, lastAppendTime, "the last batch is not whole");
            }

            // After a power cut the file may have its full length, and not all of its bytes.
            if (end == length && end > acknowledged && !IsSound(segment.Handle, position, head))
            {
                return new RecoveredSegment(position, next, lastAppendTime, "the last batch is not sound");
            }

            if (BatchFormat.ReadMarker(buffer.AsSpan(0, have), head) is SourceMarker marker)
            {
                markers[marker.Source] = marker;
            }

            segment.Note(head.BaseOffset, position);
            position = end;
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

    /// <summary>
    /// The first record that can be read at or behind a position, and where what is damaged before it ends;
    /// <paramref name="end"/> and <paramref name="length"/> for none.
    /// </summary>
    /// <param name="file">The segment.</param>
    /// <param name="position">Where a batch should start.</param>
    /// <param name="length">How much of the file there is to read.</param>
    /// <param name="next">The offset that should be there.</param>
    /// <param name="end">The offset after the segment's last.</param>
    public static (long Offset, long Position) FindRecord(SafeFileHandle file, long position, long length, long next, long end)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            while (position < length)
            {
                int have = Read();
                if (!BatchFormat.TryReadHead(buffer.AsSpan(0, have), out BatchHead head))
                {
                    position = FindHead(file, position, length, next, buffer);
                    if (position < 0)
                    {
                        break;
                    }

                    continue;
                }

                if (head.TotalBytes > buffer.Length)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(head.TotalBytes);
                    have = Read();
                }

                int n = 0;
                int at = head.HeadBytes;
                if (BatchFormat.SkipDamaged(buffer.AsSpan(0, Math.Min(have, head.TotalBytes)), head.Count, ref n, ref at))
                {
                    return (head.BaseOffset + n, n == 0 ? position : position + at);
                }

                position += head.TotalBytes;
                next = Math.Max(next, head.NextOffset);
            }

            return (end, length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        int Read() => ReadAt(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - position)), position);
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

    private static bool IsSound(SafeFileHandle file, long position, in BatchHead head)
    {
        byte[] batch = new byte[head.TotalBytes];
        if (ReadAt(file, batch, position) < batch.Length)
        {
            return false;
        }

        int at = head.HeadBytes;
        for (int n = 0; n < head.Count; n++)
        {
            if (BatchFormat.ReadFrame(batch.AsSpan(at), out int claimed) < 0)
            {
                return false;
            }

            at += claimed;
        }

        return at == batch.Length;
    }
}
