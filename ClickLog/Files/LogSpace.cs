namespace ClickAggregator.ClickLog.Files;

/// <summary>How much of its bound the whole log uses, over all partitions.</summary>
internal sealed class LogSpace(long maxBytes)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    public bool HasRoom(long bytes) => Used + bytes <= maxBytes;

    public void Add(long bytes) => Interlocked.Add(ref _used, bytes);
}
