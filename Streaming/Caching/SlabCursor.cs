using Orleans.Streams;

namespace ClickAggregator.Streaming.Caching;

/// <summary>
/// One consumer's place in the cache, as an offset and not as a position in the list: it outlives purges and moves of
/// the receiver. It starts at the slab that ends at or above the token it was opened with.
/// </summary>
internal sealed class SlabCursor(SlabCache cache, long least, long processed) : IQueueCacheCursor
{
    private SlabContainer? _current;

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
        _current = cache.Find(_least);
        if (_current is null)
        {
            return false;
        }

        Processed = _current.Token.To;
        _least = _current.Token.To + 1;
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

    public void Dispose() => cache.Close(this);
}
