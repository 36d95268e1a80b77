using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// The most clicked targets of each hour and day in one chain, kept from the counts that windows acknowledge. A target
/// lives in one chain, so a list is exact for every entry above its floor: the greatest count ever refused or evicted.
/// </summary>
public sealed class TopLists(IBatchStore store, int chain)
{
    /// <summary>Entries of a stored list.</summary>
    public const int Length = 1000;

    // Twice the length is kept before the list is cut back: a cut costs a sort, and so happens once in a thousand notes.
    private const int CutAt = 2 * Length;
    private const int MaxLists = 512;
    private readonly Dictionary<TopKey, Working> _lists = [];
    private readonly List<Working> _changed = [];
    private long _uses;

    /// <summary>Reads the lists that a window belongs to, if they are not in memory.</summary>
    public async ValueTask LoadAsync(WindowKey window, CancellationToken cancellationToken)
    {
        if (!IsTarget(window.Series, out TargetKind kind, out _))
        {
            return;
        }

        await LoadAsync(new TopKey(kind, TopSlice.Hour, window.Hour, chain), cancellationToken);
        await LoadAsync(new TopKey(kind, TopSlice.Day, DayOf(window.Hour), chain), cancellationToken);
    }

    /// <summary>Notes what a window acknowledged; its lists are loaded.</summary>
    public void Note(WindowKey window, long hourClicks, long dayClicks)
    {
        if (IsTarget(window.Series, out TargetKind kind, out string id))
        {
            Note(new TopKey(kind, TopSlice.Hour, window.Hour, chain), id, hourClicks);
            Note(new TopKey(kind, TopSlice.Day, DayOf(window.Hour), chain), id, dayClicks);
        }
    }

    /// <summary>The lists that changed since the last call, as they are to be stored.</summary>
    public IReadOnlyList<TopList> TakeChanged()
    {
        var rows = new TopList[_changed.Count];
        for (int n = 0; n < rows.Length; n++)
        {
            rows[n] = _changed[n].ToRow();
            _changed[n].IsChanged = false;
        }

        _changed.Clear();
        if (_lists.Count > MaxLists)
        {
            foreach (Working idle in _lists.Values.OrderBy(list => list.LastUse).Take(_lists.Count - (MaxLists / 2)).ToList())
            {
                _lists.Remove(idle.Key);
            }
        }

        return rows;
    }

    private static int DayOf(int hour) => (int)Math.Floor(hour / 24d);

    private static bool IsTarget(string series, out TargetKind kind, out string id)
    {
        id = "";
        int colon = series.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || series.Contains('|', StringComparison.Ordinal) || !TargetKinds.TryParseName(series.AsSpan(0, colon), out kind))
        {
            kind = TargetKind.None;
            return false;
        }

        id = series[(colon + 1)..];
        return true;
    }

    private async ValueTask LoadAsync(TopKey key, CancellationToken cancellationToken)
    {
        if (!_lists.ContainsKey(key))
        {
            TopList? stored = await store.ReadTopAsync(key, cancellationToken);
            _lists.TryAdd(key, new Working(key, stored));
        }
    }

    private void Note(TopKey key, string id, long clicks)
    {
        Working list = _lists[key];
        list.LastUse = ++_uses;
        if (list.Note(id, clicks) && !list.IsChanged)
        {
            list.IsChanged = true;
            _changed.Add(list);
        }
    }

    private sealed class Working
    {
        private readonly Dictionary<string, long> _entries;
        private long _floor;

        public Working(TopKey key, TopList? stored)
        {
            Key = key;
            _floor = stored?.Floor ?? 0;
            _entries = stored?.Entries.ToDictionary(entry => entry.Id, entry => entry.Clicks, StringComparer.Ordinal)
                ?? new Dictionary<string, long>(StringComparer.Ordinal);
        }

        public TopKey Key { get; }

        public bool IsChanged { get; set; }

        public long LastUse { get; set; }

        public bool Note(string id, long clicks)
        {
            if (!_entries.ContainsKey(id) && _entries.Count >= Length && clicks <= _floor)
            {
                return false; // the floor says already that such a count may be missing
            }

            _entries[id] = clicks;
            if (_entries.Count >= CutAt)
            {
                foreach (TopEntry evicted in Sorted().Skip(Length))
                {
                    _entries.Remove(evicted.Id);
                    _floor = Math.Max(_floor, evicted.Clicks);
                }
            }

            return true;
        }

        public TopList ToRow()
        {
            List<TopEntry> sorted = Sorted();
            return sorted.Count <= Length
                ? new TopList(Key, sorted, _floor)
                : new TopList(Key, sorted[..Length], Math.Max(_floor, sorted[Length].Clicks));
        }

        private List<TopEntry> Sorted()
        {
            var sorted = new List<TopEntry>(_entries.Count);
            foreach ((string id, long clicks) in _entries)
            {
                sorted.Add(new TopEntry(id, clicks));
            }

            sorted.Sort(static (a, b) => a.Clicks != b.Clicks ? b.Clicks.CompareTo(a.Clicks) : string.CompareOrdinal(a.Id, b.Id));
            return sorted;
        }
    }
}
