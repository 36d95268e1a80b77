using ClickAggregator.ClickLog.Appending;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.ClickLog.Files;

/// <summary>
/// The segment files of one partition. Appends come from one writer; reads from anywhere, and see only what was
/// fsynced.
/// </summary>
internal sealed partial class PartitionFiles : IDisposable
{
    private const int CoalescedBytes = 1 << 20;
    private readonly string _folder;
    private readonly Guid _logId;
    private readonly ClickLogOptions _options;
    private readonly LogDisk _disk;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LogSpace _space;
    private readonly Quarantine _quarantine;
    private readonly bool _readOnly;
    private readonly Lock _gate = new();
    private readonly List<Segment> _segments = [];
    private readonly Dictionary<string, SourceMarker> _markers = [];
    private readonly List<ReadOnlyMemory<byte>> _pieces = [];
    private readonly byte[] _heads = new byte[256 << 10];
    private long _length;
    private long _next;
    private long _lastAppendTime;
    private long _durableEnd;
    private DurableNote? _note;
    private bool _noteFailed;

    private PartitionFiles(int partition, PartitionPlace place, bool readOnly)
    {
        Partition = partition;
        _folder = place.Folder(partition);
        _logId = place.LogId;
        _options = place.Options;
        _space = place.Space;
        _quarantine = place.Quarantine;
        _disk = place.Disk;
        _time = place.Time;
        _logger = place.Logger;
        _readOnly = readOnly;
    }

    public int Partition { get; }

    /// <summary>How many partitions the log was made with, as the heads of the segments say; 0 where none is sound.</summary>
    public int MadeWith { get; private set; }

    /// <summary>The first offset there is.</summary>
    public long Start
    {
        get
        {
            lock (_gate)
            {
                return _segments.Count == 0 ? End : _segments[0].BaseOffset;
            }
        }
    }

    /// <summary>The offset after the last durable record.</summary>
    public long End => Volatile.Read(ref _durableEnd);

    /// <summary>The last marker of each source.</summary>
    public IReadOnlyDictionary<string, SourceMarker> Markers
    {
        get
        {
            lock (_markers)
            {
                return new Dictionary<string, SourceMarker>(_markers);
            }
        }
    }

    /// <summary>Opens the partition: recovers its last segment, cuts a torn tail, makes what is left durable.</summary>
    /// <exception cref="LogUnusableException">A segment of another log is in the folder.</exception>
    public static PartitionFiles Open(int partition, PartitionPlace place)
    {
        var files = new PartitionFiles(partition, place, readOnly: false);
        return files.Recovered();
    }

    /// <summary>Opens the partition to be read only, and changes nothing of it, also while another process writes it.</summary>
    public static PartitionFiles OpenToRead(int partition, PartitionPlace place)
    {
        var files = new PartitionFiles(partition, place, readOnly: true);
        return files.Recovered();
    }

    /// <summary>Writes the parts in order, fsyncs once. All of it is durable afterwards, or none of it is in the log.</summary>
    /// <exception cref="LogFullException">No room; the log is as before.</exception>
    /// <exception cref="LogFailedException">The fsync failed.</exception>
    public void Append(List<AppendPart> parts)
    {
        long bytes = 0;
        foreach (AppendPart part in parts)
        {
            bytes += part.Records.Length + BatchFormat.FixedBytes;
        }

        if (!_space.HasRoom(bytes))
        {
            throw new LogFullException($"the click log holds {_space.Used:N0} bytes of at most {_options.MaxBytes:N0} (ClickLog:MaxBytes)");
        }

        Segment active = Active(bytes);
        long now = Math.Max(_lastAppendTime, _time.GetUtcNow().ToUnixTimeMilliseconds());
        long position = _length;
        long next = _next;
        long written = _length;
        int headsUsed = 0;
        int from = 0;
        while (from < parts.Count)
        {
            (int to, int count, int recordBytes) = Gather(parts, from);
            if (headsUsed + BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes > _heads.Length)
            {
                Write(active, written);
                written = position;
                headsUsed = 0;
            }

            int head = BatchFormat.WriteHead(_heads.AsSpan(headsUsed), recordBytes, count, next, now, parts[from].Marker);
            _pieces.Add(_heads.AsMemory(headsUsed, head));
            for (int n = from; n < to; n++)
            {
                if (parts[n].Records.Length > 0)
                {
                    _pieces.Add(parts[n].Records);
                }
            }

            headsUsed += head;
            position += head + recordBytes;
            next += count;
            from = to;
        }

        Write(active, written);
        try
        {
            _disk.Flush(active.Handle);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LogFailedException($"the disk failed to make clicks durable in {active.Path}: {error.Message}", error);
        }

        active.Note(_next, _length);
        _space.Add(position - _length);
        _length = position;
        _next = next;
        _lastAppendTime = now;
        active.LastAppendTime = now;
        NoteMarkers(parts);
        active.DurableBytes = position;
        NoteDurable(active);
        Volatile.Write(ref _durableEnd, next);
    }

    /// <summary>The segments from the one that holds an offset on, kept open for the caller, who disposes them.</summary>
    public Segment? Use(long offset)
    {
        lock (_gate)
        {
            for (int n = _segments.Count - 1; n >= 0; n--)
            {
                if (_segments[n].BaseOffset <= offset)
                {
                    return _segments[n].TryUse() ? _segments[n] : null;
                }
            }

            return null;
        }
    }

    /// <summary>About how many durable bytes lie from an offset on.</summary>
    public long BytesFrom(long offset)
    {
        lock (_gate)
        {
            long bytes = 0;
            for (int n = _segments.Count - 1; n >= 0 && offset < End; n--)
            {
                bytes += _segments[n].DurableBytes - _segments[n].Seek(offset);
                if (_segments[n].BaseOffset <= offset)
                {
                    break;
                }
            }

            return bytes;
        }
    }

    /// <summary>Where the segment ends: the base of the one behind it, or the durable end.</summary>
    public long EndOf(Segment segment)
    {
        lock (_gate)
        {
            int n = _segments.IndexOf(segment);
            return n >= 0 && n < _segments.Count - 1 ? _segments[n + 1].BaseOffset : End;
        }
    }

    /// <summary>Removes whole segments that lie below an offset and were written before a time; never the last one.</summary>
    /// <returns>How many were removed.</returns>
    public int Remove(long below, long writtenBefore)
    {
        int removed = 0;
        while (true)
        {
            Segment first;
            lock (_gate)
            {
                if (_segments.Count < 2 || _segments[1].BaseOffset > below)
                {
                    return removed;
                }

                first = _segments[0];
                if (first.LastAppendTime == 0)
                {
                    first.LastAppendTime = new DateTimeOffset(File.GetLastWriteTimeUtc(first.Path)).ToUnixTimeMilliseconds();
                }

                if (first.LastAppendTime >= writtenBefore)
                {
                    return removed;
                }

                _segments.RemoveAt(0);
            }

            _space.Add(-first.DurableBytes);
            File.Delete(first.Path);
            first.Dispose();
            removed++;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _segments.ForEach(segment => segment.Dispose());
            _segments.Clear();
        }

        _note?.Dispose();
    }

    private PartitionFiles Recovered()
    {
        try
        {
            Recover();
            return this;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Parts without a marker go together into one batch; a part with one is a batch of its own.</summary>
    private static (int To, int Count, int Bytes) Gather(List<AppendPart> parts, int from)
    {
        int count = parts[from].Count;
        int bytes = parts[from].Records.Length;
        int to = from + 1;
        while (parts[from].Marker is null && to < parts.Count && parts[to].Marker is null && bytes + parts[to].Records.Length <= CoalescedBytes)
        {
            count += parts[to].Count;
            bytes += parts[to].Records.Length;
            to++;
        }

        return (to, count, bytes);
    }

    private void Write(Segment active, long position)
    {
        if (_pieces.Count == 0)
        {
            return;
        }

        try
        {
            _disk.Write(active.Handle, _pieces, position);
        }
        catch (IOException error) when (DiskFull.Is(error))
        {
            CutUnacknowledged(active);
            throw new LogFullException($"the disk took no more of the click log: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LogFailedException($"the disk failed to take clicks in {active.Path}: {error.Message}", error);
        }
        finally
        {
            _pieces.Clear();
        }
    }

    /// <summary>What was acknowledged ends at _length: a part of a write may be behind it, and has to go.</summary>
    private void CutUnacknowledged(Segment active)
    {
        try
        {
            RandomAccess.SetLength(active.Handle, _length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LogFailedException($"{active.Path} cannot be cut back to what was acknowledged: {error.Message}", error);
        }
    }

    private void NoteMarkers(List<AppendPart> parts)
    {
        foreach (AppendPart part in parts)
        {
            if (part.Marker is not null)
            {
                lock (_markers)
                {
                    _markers[part.Marker.Source] = part.Marker;
                }
            }
        }
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "{File}: {Reason}; {Bytes} bytes behind offset {Offset} were cut away and kept in {Kept}")]
    private static partial void LogTorn(ILogger logger, string file, string reason, long bytes, long offset, string kept);

    [LoggerMessage(EventId = 1105, Level = LogLevel.Error, Message = "{File}: its head is damaged; what is behind it is read as it is")]
    private static partial void LogHeadDamaged(ILogger logger, string file);

    [LoggerMessage(EventId = 1106, Level = LogLevel.Warning, Message = "{File} cannot be written, so that a start cannot tell a torn end of the log from a damaged one: {Reason}")]
    private static partial void LogNoNote(ILogger logger, string file, string reason);
}
