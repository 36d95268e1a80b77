using Orleans.Streams;

namespace ClickAggregator.Streaming.Caching;

/// <summary>
/// One consumer's place in the cache, as an offset and not as a position in the list: it outlives purges and moves of
/// the receiver. It starts at the slab that ends at or above the token it was opened with.
/// </summary>
/// <remarks>
/// It holds a lease on what is being delivered: another consumer may move the receiver meanwhile, and who reads items
/// could not fetch them from elsewhere.
/// </remarks>
internal sealed class SlabCursor(SlabCache cache, long least, long processed, bool exact) : IQueueCacheCursor
{
    private SlabContainer? _current;

    // Whether what is processed is known to the record. A slab's own token is also how the agent asks for that slab as a whole.
    private bool _exact = exact;

    // The least end of the slab to come.
    private long _least = least;

    /// <summary>Slabs that end below this are not needed any more; the one that is being delivered is.</summary>
    public long Needed => _current?.Token.To ?? _least;

    /// <summary>Everything below this offset is behind the cursor.</summary>
    public long Processed { get; private set; } = processed;

    public IBatchContainer? GetCurrent(out Exception? exception)
    {
        exception = null;
        return _current;
    }

    public bool MoveNext()
    {
        Leave();
        if (cache.Find(_least) is not { } next || !next.Slab.TryAcquire())
        {
            return false;
        }

        _current = IsPartlyProcessed(next.Token) ? next.Above(Processed) : next;
        _exact = true;
        Processed = next.Token.To;
        _least = next.Token.To + 1;
        return true;
    }

    public QueueCacheCursorMoveResult MoveNextWithResult() =>
        MoveNext() ? QueueCacheCursorMoveResult.Success : QueueCacheCursorMoveResult.NoData;

    /// <summary>Nothing to do: the place is an offset.</summary>
    public void Refresh(StreamSequenceToken token)
    {
    }

    /// <summary>Nothing to do: the agent comes back with the token of what it delivered last.</summary>
    public void RecordDeliveryFailure()
    {
    }

    public void Dispose()
    {
        Leave();
        cache.Close(this);
    }

    private bool IsPartlyProcessed(PartitionSequenceToken slab) =>
        slab.From < Processed && (_exact || slab.To > Processed);

    private void Leave()
    {
        _current?.Slab.Release();
        _current = null;
    }
}
