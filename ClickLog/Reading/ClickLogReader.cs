using System.Buffers;
using ClickAggregator.ClickLog.Files;

namespace ClickAggregator.ClickLog;

/// <summary>
/// Reads one partition in order, in chunks, and only what is durable. Damage is never skipped in silence: each lost
/// offset is returned as a damaged record, and what lies together is told together. Not safe for concurrent use.
/// </summary>
public sealed class ClickLogReader : IDisposable
{
    private const string Short = "the file ends before its last record";
    private readonly PartitionFiles _files;
    private readonly Action<LogDamage> _report;
    private Segment? _segment;
    private long _at;

    internal ClickLogReader(PartitionFiles files, long from, Action<LogDamage> report)
    {
        _files = files;
        _report = report;
        Position = from;
    }

    /// <summary>The next offset that is read.</summary>
    public long Position { get; private set; }

    /// <summary>Damage below this offset was told; where it is beyond <see cref="Position"/>, nothing before it can be read.</summary>
    internal long ToldTo { get; private set; }

    /// <summary>The next chunk, or null where nothing durable lies beyond <see cref="Position"/>.</summary>
    /// <param name="maxBytes">About how much to read; a larger batch is read whole.</param>
    /// <param name="to">Reads no record at or beyond this offset.</param>
    /// <exception cref="ArgumentOutOfRangeException">The log does not hold <see cref="Position"/>.</exception>
    public LogChunk? Read(int maxBytes, long to = long.MaxValue)
    {
        while (true)
        {
            long end = _files.End;
            if (Position >= Math.Min(end, to))
            {
                return Position > end ? throw NotHeld(end) : null;
            }

            if (_segment is null)
            {
                _segment = _files.Use(Position) ?? throw NotHeld(end);
                _at = StartIn(_segment);
            }

            // Asked for before the length is read: what is durable then reaches at least that far.
            long segmentEnd = _files.EndOf(_segment);
            if (Position >= segmentEnd)
            {
                CloseSegment();
                continue;
            }

            return ReadChunk(_segment, segmentEnd, maxBytes, Math.Min(to, segmentEnd));
        }
    }

    public void Dispose() => CloseSegment();

    private ArgumentOutOfRangeException NotHeld(long end) =>
        new($"partition {_files.Partition} holds the offsets [{_files.Start}, {end}), not {Position}");

    private void CloseSegment()
    {
        _segment?.Dispose();
        _segment = null;
    }

    /// <summary>A closed segment is indexed when it is first read: its heads are walked once.</summary>
    private long StartIn(Segment segment)
    {
        if (!segment.IsIndexed)
        {
            byte[] head = new byte[BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes];
            long position = SegmentFormat.HeadBytes;
            while (position < segment.DurableBytes
                && BatchFormat.TryReadHead(head.AsSpan(0, SegmentRecovery.ReadAt(segment.Handle, head, position)), out BatchHead batch))
            {
                segment.Note(batch.BaseOffset, position);
                position += batch.TotalBytes;
            }

            segment.IsIndexed = true; // up to the first damage: reading goes on from there
        }

        return segment.Seek(Position);
    }

    private LogChunk ReadChunk(Segment segment, long segmentEnd, int maxBytes, long to)
    {
        long durable = segment.DurableBytes;
        const int MaxHead = BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes;
        byte[] data = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(durable - _at, MaxHead, Math.Max(MaxHead, maxBytes)));
        LogRecord[] records = ArrayPool<LogRecord>.Shared.Rent(1024);
        int count = 0;
        int have = Fill(segment, data, durable);
        int used = 0;
        long from = Position;
        while (Position < to)
        {
            if (!BatchFormat.TryReadHead(data.AsSpan(used, have - used), out BatchHead head))
            {
                bool cut = _at + have < durable && have - used < MaxHead;
                if (cut && count > 0)
                {
                    break; // the rest of the head is in the next chunk
                }

                if (cut && used > 0)
                {
                    _at += used;
                    used = 0;
                    have = Fill(segment, data, durable);
                    continue;
                }

                if (count > 0)
                {
                    break; // the damage starts a chunk of its own
                }

                Skip(segment, segmentEnd, durable, to, _at + used, ref records, ref count);
                used = 0;
                have = 0;
                break;
            }

            if (head.TotalBytes > have - used)
            {
                if (count > 0)
                {
                    break; // the whole batch is in the next chunk
                }

                _at += used;
                used = 0;
                if (head.TotalBytes > data.Length)
                {
                    ArrayPool<byte>.Shared.Return(data);
                    data = ArrayPool<byte>.Shared.Rent(head.TotalBytes);
                }

                have = Fill(segment, data, durable);
                if (have >= head.TotalBytes)
                {
                    continue;
                }

                // The file was cut in the middle of this batch: its first records may be whole.
            }

            if (head.BaseOffset > Position)
            {
                // What lay between was destroyed together with its head.
                Tell(segment, segmentEnd, durable, _at + used, "offsets are missing before this batch");
                Lose(segment, Math.Min(head.BaseOffset, to), ref records, ref count);
                if (Position < head.BaseOffset || Position >= to)
                {
                    break;
                }
            }

            if (!TakeRecords(segment, segmentEnd, durable, data.AsSpan(0, have), used, head, to, ref records, ref count))
            {
                break; // the rest of this batch is beyond `to`: the next read starts at its head again
            }

            used = Math.Min(have, used + head.TotalBytes);
        }

        _at += used;
        return new LogChunk(from, Position, data, have, records, count);
    }

    /// <summary>Reads on from where the reader stands. A damaged file may be shorter than its own head.</summary>
    private int Fill(Segment segment, byte[] data, long durable) =>
        SegmentRecovery.ReadAt(segment.Handle, data.AsSpan(0, (int)Math.Clamp(durable - _at, 0, data.Length)), _at);

    /// <summary>False where the batch goes on beyond <paramref name="to"/>.</summary>
    private bool TakeRecords(
        Segment segment, long segmentEnd, long durable, ReadOnlySpan<byte> data, int start, in BatchHead head, long to,
        ref LogRecord[] records, ref int count)
    {
        int at = start + head.HeadBytes;
        int end = Math.Min(start + head.TotalBytes, data.Length);
        for (int n = 0; n < head.Count; n++)
        {
            long offset = head.BaseOffset + n;
            int length = at < end ? BatchFormat.ReadFrame(data[at..end], out int claimed) : BatchFormat.ReadFrame([], out claimed);
            if (offset >= to)
            {
                return false;
            }

            if (offset >= Position)
            {
                if (length < 0 && offset >= ToldTo)
                {
                    TellFrom(segment, segmentEnd, durable, data[..end], start, at, n, head);
                }

                Add(ref records, ref count, new LogRecord(offset, head.AppendTime, length < 0 ? 0 : at + BatchFormat.FrameBytes, length));
                Position = offset + 1;
            }

            at = Math.Min(end, at + claimed);
        }

        return true;
    }

    /// <summary>Tells the damage that a record starts: up to the next sound one, be it in this batch or behind it.</summary>
    private void TellFrom(Segment segment, long segmentEnd, long durable, ReadOnlySpan<byte> data, int start, int at, int n, in BatchHead head)
    {
        int behind = at;
        int sound = n;
        (long Offset, long Position) end;
        if (BatchFormat.SkipDamaged(data, head.Count, ref sound, ref behind))
        {
            end = (head.BaseOffset + sound, _at + behind);
        }
        else if (data.Length - start < head.TotalBytes)
        {
            // Nothing of the segment is behind a batch that the file has no room for.
            Report(segment, head.BaseOffset + n, segmentEnd, _at + at, _at + data.Length, Short);
            return;
        }
        else
        {
            end = SegmentRecovery.FindRecord(segment.Handle, _at + start + head.TotalBytes, durable, head.NextOffset, segmentEnd);
        }

        Report(segment, head.BaseOffset + n, end.Offset, _at + at, end.Position, "a record does not match its checksum");
    }

    /// <summary>Tells the damage that starts where the reader stands, between two batches.</summary>
    private void Tell(Segment segment, long segmentEnd, long durable, long position, string reason)
    {
        if (Position >= ToldTo)
        {
            (long offset, long end) = SegmentRecovery.FindRecord(segment.Handle, position, durable, Position, segmentEnd);
            Report(segment, Position, offset, position, end, reason);
        }
    }

    private void Report(Segment segment, long from, long to, long position, long end, string reason)
    {
        _report(new LogDamage(_files.Partition, from, to, segment.Path, position, Math.Max(0, end - position), reason));
        ToldTo = to;
    }

    /// <summary>Goes on at the next sound head, or at the segment's end, and says which offsets were lost.</summary>
    private void Skip(Segment segment, long segmentEnd, long durable, long to, long damagedAt, ref LogRecord[] records, ref int count)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        long sound = SegmentRecovery.FindHead(segment.Handle, damagedAt, durable, Position, buffer);
        long resume = segmentEnd;
        if (sound >= 0)
        {
            int have = SegmentRecovery.ReadAt(segment.Handle, buffer.AsSpan(0, BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes), sound);
            BatchFormat.TryReadHead(buffer.AsSpan(0, have), out BatchHead head);
            resume = head.BaseOffset;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        _at = sound >= 0 ? sound : durable;
        string reason = sound >= 0 || durable - damagedAt >= BatchFormat.FixedBytes ? "a batch is destroyed or gone"
            : damagedAt == durable ? Short + ", or the file behind it is gone"
            : Short;
        Tell(segment, segmentEnd, durable, damagedAt, reason);
        Lose(segment, Math.Min(resume, to), ref records, ref count);
    }

    private void Lose(Segment segment, long to, ref LogRecord[] records, ref int count)
    {
        // Bounded: a chunk holds so many lost offsets at once, the next one goes on.
        long last = Math.Min(to, Position + 100_000);
        for (; Position < last; Position++)
        {
            Add(ref records, ref count, new LogRecord(Position, segment.LastAppendTime, 0, -1));
        }
    }

    private static void Add(ref LogRecord[] records, ref int count, in LogRecord record)
    {
        if (count == records.Length)
        {
            LogRecord[] larger = ArrayPool<LogRecord>.Shared.Rent(records.Length * 2);
            records.AsSpan().CopyTo(larger);
            ArrayPool<LogRecord>.Shared.Return(records);
            records = larger;
        }

        records[count++] = record;
    }
}
