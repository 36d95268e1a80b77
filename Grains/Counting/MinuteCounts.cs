namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Clicks per minute of one window in one batch. A live batch touches a minute or two, so two are kept in place; a
/// backfill touches all sixty, and then there is an array.
/// </summary>
internal struct MinuteCounts
{
    private int[]? _all;
    private int _first;
    private int _second;
    private byte _firstMinute;
    private byte _secondMinute;
    private byte _used;

    public readonly bool IsEmpty => _used == 0;

    public void Add(int minute)
    {
        if (_used > 0 && _firstMinute == minute)
        {
            _first++;
        }
        else if (_used == 0)
        {
            (_first, _firstMinute, _used) = (1, (byte)minute, 1);
        }
        else if (_used == 2 && _secondMinute == minute)
        {
            _second++;
        }
        else if (_used == 1)
        {
            (_second, _secondMinute, _used) = (1, (byte)minute, 2);
        }
        else
        {
            (_all ??= new int[60])[minute]++;
        }
    }

    /// <summary>Takes the counts out, minutes ascending, and is empty afterwards.</summary>
    public void Take(out byte[] minutes, out int[] counts)
    {
        if (_all is null)
        {
            bool swapped = _used == 2 && _secondMinute < _firstMinute;
            minutes = _used == 1 ? [_firstMinute] : swapped ? [_secondMinute, _firstMinute] : [_firstMinute, _secondMinute];
            counts = _used == 1 ? [_first] : swapped ? [_second, _first] : [_first, _second];
        }
        else
        {
            _all[_firstMinute] += _first;
            _all[_secondMinute] += _second;
            int used = _all.AsSpan().Length - _all.AsSpan().Count(0);
            minutes = new byte[used];
            counts = new int[used];
            int at = 0;
            for (int minute = 0; minute < 60; minute++)
            {
                if (_all[minute] != 0)
                {
                    minutes[at] = (byte)minute;
                    counts[at++] = _all[minute];
                }
            }
        }

        this = default;
    }
}
