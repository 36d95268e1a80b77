namespace ClickAggregator.Api.Verify;

/// <summary>The duplicate rule, said as plainly as it can be: the last occurrence of each id, in a dictionary.</summary>
internal sealed class RecountedIds(TimeSpan horizon, int maxIds)
{
    private readonly Dictionary<string, (long Record, long Time)> _last = new(StringComparer.Ordinal);
    private readonly Queue<(string Id, long Record, long Time)> _order = new();
    private long _records;
    private long _time = long.MinValue;

    /// <summary>How many records repeated an id.</summary>
    public long Duplicates { get; private set; }

    /// <summary>Notes the click; true where its id occurred within both bounds before.</summary>
    public bool Repeats(RecountedClick click, long logTime)
    {
        // An earlier time than the record's before counts as that one's.
        logTime = _time = Math.Max(_time, logTime);
        long record = _records++;
        long oldest = logTime - (long)horizon.TotalMilliseconds;
        while (_order.TryPeek(out var first) && (first.Time < oldest || record - first.Record > maxIds))
        {
            _order.Dequeue();
            if (_last.TryGetValue(first.Id, out var last) && last.Record == first.Record)
            {
                _last.Remove(first.Id);
            }
        }

        if (click.Id.Length == 0)
        {
            return false; // like no other: log and place are all the name it has
        }

        string id = $"{click.Kind} {click.Target} {click.Id}";
        bool repeats = _last.ContainsKey(id);
        _last[id] = (record, logTime);
        _order.Enqueue((id, record, logTime));
        Duplicates += repeats ? 1 : 0;
        return repeats;
    }
}
