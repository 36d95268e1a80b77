using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// The most clicked targets of one chain, per kind and hour and per kind and day. Fed with the absolute counts that
/// windows acknowledge, so noting the same again changes nothing. Not safe for concurrent use.
/// </summary>
public sealed class TopLists
{
    /// <summary>How many targets a list holds.</summary>
    public const int DefaultEntries = 1000;

    /// <summary>How many lists are kept in memory between batches, unless told otherwise.</summary>
    public const int DefaultMaxLists = 200;

    private readonly Dictionary<TopKey, TopBoard> _boards = [];
    private readonly IBatchStore _store;
    private readonly int _chain;
    private readonly int _entries;
    private readonly int _maxLists;
    private long _batch;

    /// <param name="store">Where lists are read from when they are first needed.</param>
    /// <param name="chain">The chain whose windows are noted.</param>
    /// <param name="entries">How many targets a list holds; at least 1.</param>
    /// <param name="maxLists">
    /// How many lists are kept between batches; at least 1. A batch that touches more hours holds more until it completes.
    /// </param>
    public TopLists(IBatchStore store, int chain, int entries = DefaultEntries, int maxLists = DefaultMaxLists)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentOutOfRangeException.ThrowIfLessThan(entries, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLists, 1);
        _store = store;
        _chain = chain;
        _entries = entries;
        _maxLists = maxLists;
    }

    /// <summary>Makes the lists of a kind's hour and its day ready for <see cref="Note"/>, from the store at first.</summary>
    public async ValueTask LoadAsync(TargetKind kind, int hour, CancellationToken cancellationToken)
    {
        await LoadAsync(HourKey(kind, hour), cancellationToken);
        await LoadAsync(DayKey(kind, hour), cancellationToken);
    }

    /// <summary>Notes what a target's window acknowledged.</summary>
    /// <param name="kind">The target's kind.</param>
    /// <param name="id">The target's id.</param>
    /// <param name="hour">The window's hour, since the epoch.</param>
    /// <param name="hourClicks">Clicks of the window now.</param>
    /// <param name="dayClicks">Clicks of the target, in this chain, in the window's UTC day now.</param>
    /// <param name="corrected">Whether it was corrected, and so may have fewer than before; the calls come in the order of the writes.</param>
    /// <exception cref="InvalidOperationException">The lists were not loaded for this batch.</exception>
    public void Note(TargetKind kind, string id, int hour, long hourClicks, long dayClicks, bool corrected)
    {
        Board(HourKey(kind, hour)).Note(id, hourClicks, corrected);
        Board(DayKey(kind, hour)).Note(id, dayClicks, corrected);
    }

    /// <summary>Lowers the floor of a list where it is higher: no target that is not listed has more clicks than that.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="slice">The hour's list, or that of its day.</param>
    /// <param name="hour">The hour, since the epoch.</param>
    /// <param name="floor">At least 0.</param>
    /// <exception cref="InvalidOperationException">The list was not loaded for this batch.</exception>
    public void Lower(TargetKind kind, TopSlice slice, int hour, long floor) =>
        Board(slice == TopSlice.Hour ? HourKey(kind, hour) : DayKey(kind, hour)).Lower(floor);

    /// <summary>
    /// The lists that changed since the last call, whole, in one order (kind, slice, start). They have to be written
    /// before the batch completes: a list that leaves the memory later is read back from the store.
    /// </summary>
    public IReadOnlyList<TopList> TakeChanged()
    {
        var changed = new List<TopList>();
        foreach (TopBoard board in _boards.Values)
        {
            if (board.Changed)
            {
                changed.Add(board.Take());
            }
        }

        changed.Sort(static (a, b) => (a.Key.Kind, a.Key.Slice, a.Key.Start).CompareTo((b.Key.Kind, b.Key.Slice, b.Key.Start)));
        DropIdle();
        _batch++;
        return changed;
    }

    /// <summary>Forgets the lists, so that they are read from the store again; nothing may be changed that was not taken.</summary>
    /// <exception cref="InvalidOperationException">Something is.</exception>
    public void Forget()
    {
        if (_boards.Values.Any(board => board.Changed))
        {
            throw new InvalidOperationException("top lists were changed and are not stored");
        }

        _boards.Clear();
    }

    // What this batch used stays: its rows are taken, but they are not in the store before the caller wrote them.
    private void DropIdle()
    {
        if (_boards.Count > _maxLists)
        {
            TopKey[] idle = [.. _boards.Where(b => b.Value.UsedIn < _batch).OrderBy(b => b.Value.UsedIn)
                .Take(_boards.Count - _maxLists).Select(b => b.Key)];
            foreach (TopKey key in idle)
            {
                _boards.Remove(key);
            }
        }
    }

    private async ValueTask LoadAsync(TopKey key, CancellationToken cancellationToken)
    {
        if (!_boards.TryGetValue(key, out TopBoard? board))
        {
            board = new TopBoard(key, _entries, await _store.ReadTopAsync(key, cancellationToken));
            _boards.Add(key, board);
        }

        board.UsedIn = _batch;
    }

    private TopBoard Board(TopKey key) => _boards.TryGetValue(key, out TopBoard? board)
        ? board
        : throw new InvalidOperationException($"the top list {key} was not loaded");

    private TopKey HourKey(TargetKind kind, int hour) => new(kind, TopSlice.Hour, hour, _chain);

    private TopKey DayKey(TargetKind kind, int hour) => new(kind, TopSlice.Day, (int)Math.Floor(hour / 24.0), _chain);
}
