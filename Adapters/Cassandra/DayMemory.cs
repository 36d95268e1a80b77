namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The days that were lately read or written, so many at most: in two generations, of which the older is dropped.</summary>
/// <remarks>
/// Why memory can be believed: all windows of a series, day and chain are written by the chain's owner, through one store. A
/// new owner makes each window read its row before it trusts it, and with the row the day is read anew
/// (<see cref="Grains.Chain.WindowLedger"/>).
/// </remarks>
internal sealed class DayMemory(int capacity)
{
    private readonly Lock _lock = new();
    private Dictionary<DayKey, DayCounts> _young = [];
    private Dictionary<DayKey, DayCounts> _old = [];

    /// <summary>The day, known or not. Until it is released it is the only one of its key: nobody's write is missing in it.</summary>
    public DayCounts Hold(DayKey key)
    {
        lock (_lock)
        {
            if (!_young.TryGetValue(key, out DayCounts? day))
            {
                if (!_old.Remove(key, out day))
                {
                    day = new DayCounts();
                }

                if (_young.Count >= Math.Max(1, capacity / 2))
                {
                    foreach ((DayKey held, DayCounts counts) in _old.Where(pair => pair.Value.Holders > 0))
                    {
                        _young.Add(held, counts);
                    }

                    (_old, _young) = (_young, []);
                }

                _young.Add(key, day);
            }

            day.Holders++;
            return day;
        }
    }

    public void Release(DayCounts day)
    {
        lock (_lock)
        {
            day.Holders--;
        }
    }
}

/// <summary>Names the day of a series, of one chain.</summary>
internal readonly record struct DayKey(string Series, int Day, int Chain)
{
    public int Year => Calendar.YearOf(Day);
}
