using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// One top list as it grows. It holds: every listed count is the target's own, and no target that is not listed has more
/// clicks than the floor. Order: most clicks first, then id (ordinal), so the same notes make the same list.
/// </summary>
internal sealed class TopBoard
{
    private readonly Dictionary<string, long> _clicks = [];
    private readonly SortedSet<TopEntry> _order = new(s_order);
    private readonly TopKey _key;
    private readonly int _most;
    private long _floor;

    public TopBoard(TopKey key, int most, TopList? stored)
    {
        _key = key;
        _most = most;
        if (stored is not null)
        {
            _floor = stored.Floor;
            foreach (TopEntry entry in stored.Entries)
            {
                // A list that somebody else changed may hold anything; what of it is wrong a recount finds.
                if (entry.Clicks > 0 && !_clicks.ContainsKey(entry.Id) && _clicks.Count < most)
                {
                    Add(entry);
                }
            }
        }
    }

    public bool Changed { get; private set; }

    public long UsedIn { get; set; }

    /// <param name="id">The target's id.</param>
    /// <param name="clicks">Its clicks now.</param>
    /// <param name="mayLower">
    /// Whether they may have become fewer. Counting only adds: two windows of a day are written at once, and the answer of the
    /// one that was written first may come last.
    /// </param>
    public void Note(string id, long clicks, bool mayLower)
    {
        var entry = new TopEntry(id, clicks);
        if (_clicks.TryGetValue(id, out long before))
        {
            if (clicks > before || (mayLower && clicks < before))
            {
                _order.Remove(new TopEntry(id, before));
                _clicks.Remove(id);
                Changed = true;
                if (clicks > 0)
                {
                    Add(entry);
                }
            }
        }
        else if (clicks <= 0)
        {
            return;
        }
        else if (_clicks.Count < _most)
        {
            Add(entry);
            Changed = true;
        }
        else if (_order.Max is var last && s_order.Compare(entry, last) < 0)
        {
            _order.Remove(last);
            _clicks.Remove(last.Id);
            Raise(last.Clicks);
            Add(entry);
            Changed = true;
        }
        else
        {
            Raise(clicks);
        }
    }

    /// <summary>Lowers the floor where it is higher: whoever counted all targets knows that it need not be.</summary>
    public void Lower(long floor)
    {
        if (floor < _floor)
        {
            _floor = floor;
            Changed = true;
        }
    }

    public TopList Take()
    {
        Changed = false;
        return new TopList(_key, [.. _order], _floor);
    }

    private void Raise(long floor)
    {
        if (floor > _floor)
        {
            _floor = floor;
            Changed = true;
        }
    }

    private void Add(TopEntry entry)
    {
        _clicks.Add(entry.Id, entry.Clicks);
        _order.Add(entry);
    }

    private static readonly Comparer<TopEntry> s_order = Comparer<TopEntry>.Create(static (a, b) =>
    {
        int byClicks = b.Clicks.CompareTo(a.Clicks);
        return byClicks != 0 ? byClicks : string.CompareOrdinal(a.Id, b.Id);
    });
}
