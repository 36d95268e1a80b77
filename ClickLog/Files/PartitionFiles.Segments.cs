using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Files;

/// <content>Opening, recovering and rolling segments.</content>
internal sealed partial class PartitionFiles
{
    private void Recover()
    {
        DurableEnd? noted = DurableNote.Read(_folder);
        bool headDamaged = OpenSegments();
        _space.Add(_segments.Sum(segment => segment.DurableBytes));
        if (_segments.Count == 0)
        {
            if (noted is { Next: > 0 } gone)
            {
                _quarantine.Report(new LogDamage(Partition, gone.BaseOffset, gone.Next, _folder, 0, 0, "all segments of the partition are gone"));
            }

            Begin(noted?.Next ?? 0);
            return;
        }

        Segment last = _segments[^1];
        bool ofLast = noted?.BaseOffset == last.BaseOffset;
        long acknowledged = ofLast ? noted!.Value.Length : noted?.BaseOffset > last.BaseOffset ? long.MaxValue : SegmentFormat.HeadBytes;
        RecoveredSegment found = SegmentRecovery.Walk(last, _lastAppendTime, acknowledged, _markers);
        _lastAppendTime = found.LastAppendTime;
        last.IsIndexed = true;
        last.LastAppendTime = found.LastAppendTime;

        // The note is of a later segment where that one's file is gone, and of an earlier one where it is too old.
        bool lost = noted is { } end && end.BaseOffset >= last.BaseOffset && (end.Next > found.NextOffset || (ofLast && end.Length > found.Length));
        if (lost || headDamaged)
        {
            RecoverMarkers();
            Continue(last, found, Math.Max(found.NextOffset, lost ? noted!.Value.Next : 0));
        }
        else
        {
            CutTail(last, found, noted);
        }
    }

    /// <summary>A torn tail was never acknowledged.</summary>
    private void CutTail(Segment last, RecoveredSegment found, DurableEnd? noted)
    {
        long length = last.DurableBytes;
        if (found.Length < length && !_readOnly)
        {
            _space.Add(found.Length - length);
            string kept = _quarantine.KeepTail(Partition, last, found.Length, length);
            LogTorn(_logger, last.Path, found.Torn ?? "torn", length - found.Length, found.NextOffset, kept);
            RandomAccess.SetLength(last.Handle, found.Length);
        }

        last.DurableBytes = found.Length;
        _length = found.Length;
        _next = found.NextOffset;
        _durableEnd = _next;
        if (!_readOnly)
        {
            // A process that was killed may have written without fsync: what is read from here on has to be durable.
            _disk.Flush(last.Handle);
            NoteDurable(last);
        }
        else if (noted is { } end && end.BaseOffset == last.BaseOffset)
        {
            // Another process may be writing: what lies behind its note is not promised to anybody yet.
            last.DurableBytes = end.Length;
            _durableEnd = end.Next;
        }
    }

    /// <summary>
    /// The end of the last segment is gone although it was acknowledged: the file stays as it is, and the log goes on
    /// behind the last offset that was given out, in a new one. Readers find the lost offsets between the two.
    /// </summary>
    private void Continue(Segment last, RecoveredSegment found, long next)
    {
        if (next > found.NextOffset)
        {
            TellLost(found.NextOffset, next);
        }

        if (_readOnly)
        {
            _durableEnd = found.NextOffset;
            return;
        }

        if (next == last.BaseOffset)
        {
            // Nothing but markers was in it, and those were read: a new file takes its name.
            _segments.Remove(last);
            _space.Add(-last.DurableBytes);
            last.Dispose();
            _quarantine.Move(Partition, last.Path);
        }

        Begin(next);
    }

    /// <summary>Reads what is left of the offsets: a batch that is not whole may have sound records, and only the others are lost.</summary>
    private void TellLost(long from, long to)
    {
        Volatile.Write(ref _durableEnd, to);
        using var reader = new ClickLogReader(this, from, _quarantine.Report);
        while (reader.ToldTo < to && reader.Read(CoalescedBytes) is { } chunk)
        {
            chunk.Return();
        }
    }

    /// <summary>Opens all segment files, oldest first. True where the last one has no sound head.</summary>
    private bool OpenSegments()
    {
        bool headDamaged = false;
        foreach (string path in Directory.GetFiles(_folder, "*.log").Order(StringComparer.Ordinal))
        {
            if (!SegmentFormat.TryParseName(path, out long baseOffset))
            {
                continue;
            }

            SafeFileHandle handle = File.OpenHandle(
                path, FileMode.Open, _readOnly ? FileAccess.Read : FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            byte[] head = new byte[SegmentFormat.HeadBytes];
            int have = SegmentRecovery.ReadAt(handle, head, 0);
            SegmentHeadState state = SegmentFormat.Read(head.AsSpan(0, have), _logId, Partition, baseOffset, out SegmentHead says);
            if (state == SegmentHeadState.Foreign)
            {
                handle.Dispose();
                throw new LogUnusableException($"{path} is a segment of another log or partition than {_logId}, {Partition}: move it away");
            }

            headDamaged = state == SegmentHeadState.Damaged;
            if (headDamaged)
            {
                LogHeadDamaged(_logger, path);
            }
            else
            {
                _lastAppendTime = says.LastAppendTime;
                if (_segments.Count > 0)
                {
                    _segments[^1].LastAppendTime = says.LastAppendTime;
                }

                MadeWith = Math.Max(MadeWith, says.Partitions);
            }

            _segments.Add(new Segment(path, baseOffset, handle) { DurableBytes = RandomAccess.GetLength(handle) });
        }

        return headDamaged;
    }

    /// <summary>Each segment starts with all markers; where that start is damaged, those of the segment before hold.</summary>
    private void RecoverMarkers()
    {
        if (_segments.Count > 1)
        {
            var before = new Dictionary<string, SourceMarker>();
            SegmentRecovery.Walk(_segments[^2], 0, long.MaxValue, before);
            foreach ((string source, SourceMarker marker) in before)
            {
                _markers.TryAdd(source, marker);
            }
        }
    }

    private void Begin(long baseOffset)
    {
        if (_readOnly)
        {
            return;
        }

        Create(baseOffset);
    }

    private Segment Active(long bytes)
    {
        Segment active = _segments[^1];
        // One without records would be made again under its own name, since that is its first offset.
        if (_next == active.BaseOffset || _length + bytes <= _options.SegmentBytes)
        {
            return active;
        }

        try
        {
            return Create(_next);
        }
        catch (IOException error) when (DiskFull.Is(error))
        {
            throw new LogFullException($"no new segment of the click log could be made: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LogFailedException($"no new segment of the click log could be made in {_folder}: {error.Message}", error);
        }
    }

    /// <summary>
    /// Makes the segment that starts at an offset. Its first batches repeat the last marker of each source, so that a
    /// start has to look at no other segment.
    /// </summary>
    private Segment Create(long baseOffset)
    {
        string path = Path.Combine(_folder, SegmentFormat.FileName(baseOffset));
        string making = path + ".new";
        SafeFileHandle handle = File.OpenHandle(making, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            var pieces = new List<ReadOnlyMemory<byte>>
            {
                SegmentFormat.Head(_logId, Partition, baseOffset, new SegmentHead(_lastAppendTime, _options.Partitions)),
            };
            foreach (SourceMarker marker in Markers.Values)
            {
                byte[] head = new byte[BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes];
                pieces.Add(head.AsMemory(0, BatchFormat.WriteHead(head, 0, 0, baseOffset, _lastAppendTime, marker)));
            }

            _disk.Write(handle, pieces, 0);
            _disk.Flush(handle);

            // Under its name only when its markers are on disk: a start reads the last segment's and no others.
            File.Move(making, path, overwrite: true);
            DirectorySync.Flush(_folder);
            long length = pieces.Sum(piece => (long)piece.Length);
            var segment = new Segment(path, baseOffset, handle) { DurableBytes = length, IsIndexed = true, LastAppendTime = _lastAppendTime };
            lock (_gate)
            {
                _segments.Add(segment);
            }

            _space.Add(length);
            _length = length;
            _next = baseOffset;
            NoteDurable(segment);
            Volatile.Write(ref _durableEnd, baseOffset);
            return segment;
        }
        catch
        {
            handle.Dispose();
            File.Delete(making);
            throw;
        }
    }

    private void NoteDurable(Segment segment)
    {
        try
        {
            (_note ??= DurableNote.Open(_folder)).Write(new DurableEnd(segment.BaseOffset, _length, _next));
        }
        catch (IOException error)
        {
            // Without it a start knows less about a damaged end; what is acknowledged is durable all the same.
            if (!_noteFailed)
            {
                _noteFailed = true;
                LogNoNote(_logger, DurableNote.PathOf(_folder), error.Message);
            }
        }
    }
}
