namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The clicks of a day's hours, as this process knows them from its reads and its own writes.</summary>
internal sealed class DayCounts
{
    private readonly Lock _lock = new();
    private (int Hour, long Clicks, long Version)[] _hours = new (int, long, long)[1];
    private int _count;
    private long _version;
    private long _lastTaken;
    private bool _known;
    private long _stamp;
    private long _written;

    /// <summary>Guarded by the memory's lock.</summary>
    public int Holders { get; set; }

    /// <summary>What is known; null where it has to be read.</summary>
    public DayView? View()
    {
        lock (_lock)
        {
            return _known ? Seen() : null;
        }
    }

    /// <summary>A read begins: what is written from here on it may have missed.</summary>
    public long BeginRead()
    {
        lock (_lock)
        {
            return ++_version;
        }
    }

    /// <summary>What a read found.</summary>
    public DayView Take(StoredDay? stored, long begun)
    {
        lock (_lock)
        {
            if (begun >= _lastTaken)
            {
                _lastTaken = begun;
                (int Hour, long Clicks, long Version)[] newer = [.. _hours.AsSpan(0, _count).ToArray().Where(hour => hour.Version > begun)];
                _count = 0;
                for (int hour = 0; hour < 24 && stored?.Hours is not null; hour++)
                {
                    if ((stored.Hours.Hours & (1 << hour)) != 0)
                    {
                        Put(hour, stored.Hours.Quarters.AsSpan(hour * 4, 4).ToArray().Sum(), begun);
                    }
                }

                foreach ((int Hour, long Clicks, long Version) hour in newer)
                {
                    Put(hour.Hour, hour.Clicks, hour.Version);
                }

                _stamp = Math.Max(newer.Length > 0 ? _stamp : 0, stored?.Stamp ?? 0);
                _written = Math.Max(newer.Length > 0 ? _written : 0, stored?.Written ?? 0);
                _known = true;
            }

            return Seen();
        }
    }

    /// <summary>An hour was written.</summary>
    public DayView Set(int hourOfDay, long clicks, long stamp, long written)
    {
        lock (_lock)
        {
            Put(hourOfDay, clicks, ++_version);
            _stamp = Math.Max(_stamp, stamp);
            _written = Math.Max(_written, written);
            return Seen();
        }
    }

    /// <summary>A write failed: nobody knows what is stored.</summary>
    public void Doubt()
    {
        lock (_lock)
        {
            _lastTaken = ++_version;
            _known = false;
        }
    }

    private void Put(int hour, long clicks, long version)
    {
        for (int n = 0; n < _count; n++)
        {
            if (_hours[n].Hour == hour)
            {
                _hours[n] = (hour, clicks, version);
                return;
            }
        }

        if (_count == _hours.Length)
        {
            Array.Resize(ref _hours, _count * 2);
        }

        _hours[_count++] = (hour, clicks, version);
    }

    private DayView Seen()
    {
        long clicks = 0;
        for (int n = 0; n < _count; n++)
        {
            clicks += _hours[n].Clicks;
        }

        return new DayView(_count > 0, clicks, _stamp, _written);
    }
}

/// <summary>A day at a moment.</summary>
/// <param name="Exists">Some hour of it was written.</param>
/// <param name="Clicks">The sum of its hours.</param>
/// <param name="Stamp">The highest of its writes.</param>
/// <param name="Written">When it was last written, milliseconds since the epoch.</param>
internal readonly record struct DayView(bool Exists, long Clicks, long Stamp, long Written);

/// <summary>A row of <c>clicks_by_day</c>.</summary>
internal sealed record StoredDay(DayHours? Hours, long Stamp, long Written);
