using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Holds the stored top lists of a kind to what they promise: every listed count is the target's own, and no target that is not
/// listed has more clicks than the floor. It watches, while the hour is recounted, the targets that decide: those that are listed,
/// and the most clicked. Not safe for concurrent use.
/// </summary>
internal sealed class TopWatch
{
    /// <summary>One more than a list holds: the first that is left out decides the floor.</summary>
    private const int Most = TopLists.DefaultEntries + 1;

    private readonly string _prefix;
    private readonly Dictionary<string, long[]> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string> _listed = new(StringComparer.Ordinal);
    private readonly BestTargets _byHour = new(Most);
    private readonly BestTargets _byDay = new(Most);

    public TopWatch(TargetKind kind)
    {
        Kind = kind;
        _prefix = TargetKinds.Name(kind) + ":";
    }

    public TargetKind Kind { get; }

    /// <summary>Watches the targets of a list; a list that is not there has none.</summary>
    public void Watch(TopList? list)
    {
        foreach (TopEntry entry in list?.Entries ?? [])
        {
            _listed.Add(entry.Id);
        }
    }

    /// <summary>Watches a target by its clicks of the day, as they are stored.</summary>
    public void Note(string id, long dayClicks)
    {
        if (dayClicks > 0)
        {
            _byDay.Offer(id, dayClicks);
        }
    }

    /// <summary>Takes a target's recounted minutes. To be called for each of a pass, once all that is stored of it was noted.</summary>
    public void Expect(string id, HourTable table, int number)
    {
        long[]? minutes = null;
        if (_listed.Contains(id) || _byDay.Has(id))
        {
            _known[id] = minutes = table.Counts(number);
        }

        long clicks = (minutes ?? table.Counts(number)).Sum();
        if (clicks > 0 && _byHour.Offer(id, clicks))
        {
            _known[id] = minutes ?? table.Counts(number);
        }

        if (_known.Count > 8 * Most)
        {
            foreach (string other in _known.Keys.Where(other => !_listed.Contains(other) && !_byDay.Has(other) && !_byHour.Has(other)).ToList())
            {
                _known.Remove(other);
            }
        }
    }

    /// <summary>
    /// The floor that the hour's list should have where it has a higher one: then it says that somebody may be missing who is not. Null where
    /// its floor is no higher.
    /// </summary>
    public long? HourFloor(TopList? list) => list?.Floor > _byHour.Floor ? _byHour.Floor : null;

    /// <summary>The same of the day's list, once all of the day was noted; null also where it was clicked since.</summary>
    /// <param name="list">The list.</param>
    /// <param name="dayClicks">Of those that decide.</param>
    public long? DayFloor(TopList? list, IReadOnlyDictionary<string, long> dayClicks) =>
        list?.Floor > _byDay.Floor && _byDay.All.All(best => dayClicks.GetValueOrDefault(best.Id) == best.Clicks) ? _byDay.Floor : null;

    /// <summary>A target by whose window lists can be put right, if possible one that has clicks in the hour; null for none.</summary>
    public string? Bearer(params TopList?[] lists)
    {
        string[] listed = [.. lists.SelectMany(list => list?.Entries ?? []).Select(entry => entry.Id)];
        return Array.Find(listed, _byHour.Has) ?? Array.Find(listed, _listed.Contains);
    }

    /// <summary>The targets whose windows have to be noted again, so that the hour's list is right.</summary>
    public IEnumerable<string> WrongInHour(TopList? list, long floor)
    {
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (TopEntry entry in list?.Entries ?? [])
        {
            listed.Add(entry.Id);

            // One that was listed meanwhile got a click meanwhile: nobody knows of it here.
            if ((_listed.Contains(entry.Id) || _byHour.Has(entry.Id)) && Clicks(entry.Id) != entry.Clicks)
            {
                yield return entry.Id;
            }
        }

        foreach ((string id, long clicks) in _byHour.All)
        {
            if (clicks > floor && !listed.Contains(id))
            {
                yield return id;
            }
        }
    }

    /// <summary>The targets whose clicks of the day decide whether its list is right.</summary>
    public IReadOnlyList<string> DecidingDay(TopList? list) =>
        [.. (list?.Entries ?? []).Select(entry => entry.Id).Where(_listed.Contains).Concat(_byDay.All.Select(best => best.Id)).Distinct(StringComparer.Ordinal)];

    /// <summary>The targets whose windows have to be noted again, so that the day's list is right.</summary>
    public IEnumerable<string> WrongInDay(TopList? list, IReadOnlyDictionary<string, long> dayClicks, long floor)
    {
        Dictionary<string, long> listed = (list?.Entries ?? []).GroupBy(entry => entry.Id, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.First().Clicks, StringComparer.Ordinal);
        foreach (string id in DecidingDay(list))
        {
            long clicks = dayClicks.GetValueOrDefault(id);
            if (listed.TryGetValue(id, out long entry) ? entry != clicks : clicks > floor)
            {
                yield return id;
            }
        }
    }

    /// <summary>A watched target's recounted minutes; zeros where it has no click of the hour.</summary>
    public long[] Minutes(string id) => _known.TryGetValue(id, out long[]? minutes) ? minutes : new long[HourTable.Minutes];

    public string Series(string id) => _prefix + id;

    /// <summary>The id of a series of this kind's targets; null where it is none, or one that is narrowed down.</summary>
    public string? Id(string series) =>
        series.StartsWith(_prefix, StringComparison.Ordinal) && !series.Contains('|', StringComparison.Ordinal) ? series[_prefix.Length..] : null;

    private long Clicks(string id) => _known.TryGetValue(id, out long[]? minutes) ? minutes.Sum() : 0;
}

/// <summary>The targets with the most clicks, of all that were offered.</summary>
internal sealed class BestTargets(int most)
{
    private readonly Dictionary<string, long> _clicks = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, (long Clicks, string Id)> _last = new(s_order);

    /// <summary>No target that is left out by a list of all of them but the last has more clicks; 0 where there are no more than fit.</summary>
    public long Floor => _clicks.Count == most && _last.TryPeek(out _, out (long Clicks, string Id) least) ? least.Clicks : 0;

    public IEnumerable<(string Id, long Clicks)> All => _clicks.Select(pair => (pair.Key, pair.Value));

    public bool Has(string id) => _clicks.ContainsKey(id);

    /// <summary>Whether it is among them; each is to be offered once.</summary>
    public bool Offer(string id, long clicks)
    {
        if (_clicks.ContainsKey(id))
        {
            return true;
        }

        if (_clicks.Count == most)
        {
            _last.TryPeek(out string? last, out (long Clicks, string Id) least);
            if (s_order.Compare((clicks, id), least) <= 0)
            {
                return false;
            }

            _last.Dequeue();
            _clicks.Remove(last!);
        }

        _clicks.Add(id, clicks);
        _last.Enqueue(id, (clicks, id));
        return true;
    }

    // The first is the one that goes first: fewest clicks, then the greater id.
    private static readonly Comparer<(long Clicks, string Id)> s_order = Comparer<(long Clicks, string Id)>.Create(static (a, b) =>
    {
        int byClicks = a.Clicks.CompareTo(b.Clicks);
        return byClicks != 0 ? byClicks : string.CompareOrdinal(b.Id, a.Id);
    });
}
