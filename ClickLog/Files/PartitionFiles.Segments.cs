using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Files;

/// <content>Opening, recovering and rolling segments.</content>
internal sealed partial class PartitionFiles
{
    private void Recover()
    {
        var paths = Directory.GetFiles(_folder, "*.log").Where(path => SegmentFormat.TryParseName(path, out _)).Order(StringComparer.Ordinal).ToList();
        for (int n = 0; n < paths.Count; n++)
        {
            _ = SegmentFormat.TryParseName(paths[n], out long baseOffset);
            SafeFileHandle handle = File.OpenHandle(paths[n], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            byte[] head = new byte[SegmentFormat.HeadBytes];
            int have = SegmentRecovery.ReadAt(handle, head, 0);
            if (!SegmentFormat.IsSound(head.AsSpan(0, have), _logId, Partition, baseOffset, out long lastAppendTime))
            {
                if (n == paths.Count - 1 && n > 0 && RandomAccess.GetLength(handle) <= SegmentFormat.HeadBytes)
                {
                    // Killed while it was being made: nothing can be in it yet.
                    handle.Dispose();
                    File.Delete(paths[n]);
                    break;
                }

                if (n == 0 && paths.Count == 1 && baseOffset == 0 && RandomAccess.GetLength(handle) <= SegmentFormat.HeadBytes && have < SegmentFormat.HeadBytes)
                {
                    handle.Dispose();
                    File.Delete(paths[n]);
                    break;
                }

                handle.Dispose();
                throw new LogUnusableException(
                    $"{paths[n]} is not a segment of the log {_logId} (its head is damaged, or it was copied from another log): move it away or bring the right one back");
            }

            var segment = new Segment(paths[n], baseOffset, handle) { DurableBytes = RandomAccess.GetLength(handle) };
            _segments.Add(segment);
            _lastAppendTime = lastAppendTime;
        }

        if (_segments.Count == 0)
        {
            Create(0);
            return;
        }

        Segment last = _segments[^1];
        RecoveredSegment found = SegmentRecovery.Recover(last, _lastAppendTime, _markers);
        long length = RandomAccess.GetLength(last.Handle);
        if (found.Length < length)
        {
            string kept = KeepTail(last, found.Length, length);
            LogTorn(_logger, last.Path, found.Torn ?? "torn", length - found.Length, found.NextOffset, kept);
            RandomAccess.SetLength(last.Handle, found.Length);
        }

        // A process that was killed may have written without fsync: what is read from here on has to be durable.
        _disk.Flush(last.Handle);
        last.IsIndexed = true;
        last.LastAppendTime = found.LastAppendTime;
        last.DurableBytes = found.Length;
        _length = found.Length;
        _next = found.NextOffset;
        _lastAppendTime = found.LastAppendTime;
        _durableEnd = found.NextOffset;
        _space.Add(_segments.Sum(segment => segment.DurableBytes));
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
        catch (IOException error)
        {
            throw new LogFullException($"no new segment of the click log could be made: {error.Message}", error);
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
            var pieces = new List<ReadOnlyMemory<byte>> { SegmentFormat.Head(_logId, Partition, baseOffset, _lastAppendTime) };
            foreach (SourceMarker marker in Markers.Values)
            {
                byte[] head = new byte[BatchFormat.FixedBytes + BatchFormat.MaxMarkerBytes];
                pieces.Add(head.AsMemory(0, BatchFormat.WriteHead(head, 0, 0, baseOffset, _lastAppendTime, marker)));
            }

            _disk.Write(handle, pieces, 0);
            _disk.Flush(handle);

            // Under its name only when its markers are on disk: a start reads the last segment's and no others.
            File.Move(making, path);
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

    /// <summary>A torn tail was never acknowledged; it is kept aside all the same, for whoever wants to look.</summary>
    private static string KeepTail(Segment segment, long from, long to)
    {
        string folder = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(segment.Path))!, "quarantine");
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{Path.GetFileName(Path.GetDirectoryName(segment.Path))}-{Path.GetFileNameWithoutExtension(segment.Path)}-{from}.tail");
        using FileStream kept = File.Create(path);
        byte[] buffer = new byte[1 << 16];
        for (long at = from; at < to;)
        {
            int got = RandomAccess.Read(segment.Handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - at)), at);
            if (got == 0)
            {
                break;
            }

            kept.Write(buffer, 0, got);
            at += got;
        }

        return path;
    }
}
