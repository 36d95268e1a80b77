using Microsoft.Win32.SafeHandles;

namespace ClickAggregator.ClickLog.Files;

/// <summary>One file of a partition: where it starts, how much of it is durable, and where offsets lie in it.</summary>
internal sealed class Segment(string path, long baseOffset, SafeFileHandle handle) : IDisposable
{
    private const int IndexEveryBytes = 64 << 10;
    private readonly List<(long Offset, long Position)> _index = [];
    private long _durableBytes;
    private int _users = 1;

    public string Path { get; } = path;

    public long BaseOffset { get; } = baseOffset;

    public SafeFileHandle Handle { get; } = handle;

    /// <summary>Bytes that were fsynced; readers see no further.</summary>
    public long DurableBytes
    {
        get => Volatile.Read(ref _durableBytes);
        set => Volatile.Write(ref _durableBytes, value);
    }

    /// <summary>Whether the index covers the file.</summary>
    public bool IsIndexed { get; set; }

    /// <summary>Append time of the last batch, milliseconds since the epoch; 0 until known.</summary>
    public long LastAppendTime { get; set; }

    /// <summary>Notes where a batch lies, if the last note is far enough away.</summary>
    public void Note(long offset, long position)
    {
        lock (_index)
        {
            if (_index.Count == 0 || position - _index[^1].Position >= IndexEveryBytes)
            {
                _index.Add((offset, position));
            }
        }
    }

    /// <summary>Where to start reading to find an offset: a batch at or before it.</summary>
    public long Seek(long offset)
    {
        lock (_index)
        {
            int low = 0;
            int high = _index.Count;
            while (low < high)
            {
                int middle = (low + high) / 2;
                if (_index[middle].Offset <= offset)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low == 0 ? SegmentFormat.HeadBytes : _index[low - 1].Position;
        }
    }

    /// <summary>Keeps the file open for a reader; false when it is being removed.</summary>
    public bool TryUse()
    {
        lock (_index)
        {
            if (_users == 0)
            {
                return false;
            }

            _users++;
            return true;
        }
    }

    /// <summary>Ends a use; the last one closes the file.</summary>
    public void Dispose()
    {
        lock (_index)
        {
            if (_users > 0 && --_users == 0)
            {
                Handle.Dispose();
            }
        }
    }
}
