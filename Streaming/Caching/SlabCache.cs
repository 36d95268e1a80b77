using System.Runtime.InteropServices;
using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Caching;

/// <summary>
/// The slabs of one queue between its receiver and its consumers, bounded by bytes; it holds one lease on each. It
/// never misses: a cursor that wants what is not held moves the receiver there (<see cref="Epoch"/>).
/// </summary>
/// <remarks>Used by one agent, on its scheduler: no two calls at a time.</remarks>
internal sealed class SlabCache(long maxBytes, int maxSlabBytes, StreamInstruments instruments) : IQueueCache
{
    // An empty slab costs its objects too; without this a trickle of tiny slabs would be unbounded in number.
    private const int SlabOverhead = 1024;

    private readonly List<SlabContainer> _items = [];
    private readonly List<SlabCursor> _cursors = [];
    private long _bytes;
    private long _logStart;

    /// <summary>Counts the moves of the receiver; what was read in an earlier epoch is not taken in.</summary>
    public int Epoch { get; private set; }

    /// <summary>The offset from which the receiver reads on; null while it never read.</summary>
    public long? Next { get; private set; }

    /// <summary>Whether the receiver may read on.</summary>
    public bool HasRoom => _bytes < maxBytes;

    public long Bytes => _bytes;

    public int Slabs => _items.Count;

    /// <summary>Says where the receiver opened the log.</summary>
    public void ReadFrom(long offset) => Next = offset;

    /// <summary>Says that the log starts at an offset now: there is nothing to go back to below it.</summary>
    public void LeaveBehind(long start)
    {
        Next = start;
        _logStart = start;
    }

    /// <summary>
    /// Moves the receiver forward when every consumer has got further by itself than what is held or comes next.
    /// </summary>
    public void SkipProcessed()
    {
        long processed = long.MaxValue;
        foreach (SlabCursor cursor in _cursors)
        {
            processed = Math.Min(processed, cursor.Processed);
        }

        if (_cursors.Count > 0 && processed > Next)
        {
            MoveReceiver(processed);
        }
    }

    public void AddToCache(IList<IBatchContainer> messages)
    {
        foreach (IBatchContainer message in messages)
        {
            var container = (SlabContainer)message;
            if (container.Epoch != Epoch)
            {
                // The receiver was moved between its read and now.
                container.Slab.Release();
                continue;
            }

            _items.Add(container);
            Count(Cost(container));
            Next = container.Token.To;
        }
    }

    /// <summary>Lets go of what every cursor has passed. Nothing is reported: a delivery commits nothing here.</summary>
    public bool TryPurgeFromCache(out IList<IBatchContainer> purgedItems)
    {
        // An array: at each look of an idle agent, a list would be garbage.
        purgedItems = Array.Empty<IBatchContainer>();
        if (_cursors.Count == 0)
        {
            // Nobody listens, perhaps for ever. What is dropped to go on shows as a gap to whoever comes.
            if (!HasRoom)
            {
                Drop(_items.Count);
            }

            return false;
        }

        long needed = long.MaxValue;
        foreach (SlabCursor cursor in _cursors)
        {
            needed = Math.Min(needed, cursor.Needed);
        }

        Drop(IndexOf(needed));
        return false;
    }

    public IQueueCacheCursor GetCacheCursor(StreamId streamId, StreamSequenceToken? token)
    {
        // Without a token: all that is held. The consumer trims; the other choice would be a gap.
        long processed = token is null ? 0 : ((PartitionSequenceToken)token).To;
        long readable = Math.Max(processed, _logStart);
        if (token is not null && readable < (_items.Count > 0 ? _items[0].Token.From : Next))
        {
            MoveReceiver(readable);
        }

        // A token of a record or of a next offset says how far its consumer is, also within a slab.
        bool exact = token is PartitionSequenceToken at && (at.Offset is not null || at.From == at.To);
        return Open(processed, processed, exact);
    }

    public QueueCacheCursorResult<IQueueCacheCursor> TryGetCacheCursor(StreamId streamId, StreamSequenceToken? token) =>
        QueueCacheCursorResult<IQueueCacheCursor>.FromCursor(GetCacheCursor(streamId, token));

    public QueueCacheCursorResult<IQueueCacheCursor> TryGetCacheCursorAtPosition(
        StreamId streamId, StreamSubscriptionStartPosition startPosition) => startPosition switch
        {
            StreamSubscriptionStartPosition.EarliestAvailable =>
                QueueCacheCursorResult<IQueueCacheCursor>.FromCursor(Open(0)),
            StreamSubscriptionStartPosition.Latest =>
                QueueCacheCursorResult<IQueueCacheCursor>.FromCursor(Next is { } next ? Open(next + 1, next) : Open(0)),
            _ => throw new ArgumentOutOfRangeException(nameof(startPosition)),
        };

    /// <summary>
    /// Pressure proper is never reached, because the receiver stops at <see cref="HasRoom"/> by itself: the agent
    /// logs a line at each look under pressure, twenty a second while a consumer catches up.
    /// </summary>
    public bool IsUnderPressure() => _bytes >= maxBytes + (2L * maxSlabBytes);

    /// <summary>Unlimited: 0 would keep the agent from purging.</summary>
    public int GetMaxAddCount() => -1;

    /// <summary>Gives back all leases; the agent is done.</summary>
    public void Clear() => Drop(_items.Count);

    /// <summary>The first slab held that ends at <paramref name="least"/> or above.</summary>
    internal SlabContainer? Find(long least)
    {
        int index = IndexOf(least);
        return index < _items.Count ? _items[index] : null;
    }

    internal void Close(SlabCursor cursor) => _cursors.Remove(cursor);

    private SlabCursor Open(long least) => Open(least, least);

    private SlabCursor Open(long least, long processed, bool exact = false)
    {
        var cursor = new SlabCursor(this, least, processed, exact);
        _cursors.Add(cursor);
        return cursor;
    }

    private void MoveReceiver(long offset)
    {
        Clear();
        Next = offset;
        Epoch++;
        instruments.Moved();
    }

    private void Drop(int count)
    {
        foreach (SlabContainer container in CollectionsMarshal.AsSpan(_items)[..count])
        {
            Count(-Cost(container));
            container.Slab.Release();
        }

        _items.RemoveRange(0, count);
    }

    private int IndexOf(long least)
    {
        int low = 0;
        int high = _items.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_items[middle].Token.To < least)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void Count(long bytes)
    {
        _bytes += bytes;
        instruments.Cached(bytes);
    }

    private static long Cost(SlabContainer container) =>
        container.Slab.DataLength + (24L * container.Slab.Count) + SlabOverhead;
}
