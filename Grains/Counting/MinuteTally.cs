using System.Numerics;

namespace ClickAggregator.Grains.Counting;

/// <summary>Clicks per minute of one window in the batch at hand: two minutes without an array, all 60 with one.</summary>
internal sealed class MinuteTally
{
    private ulong _mask;
    private int _first;
    private int _second;
    private long _firstClicks;
    private long _secondClicks;
    private long[]? _all;

    public bool IsEmpty => _mask == 0;

    public int Minutes => BitOperations.PopCount(_mask);

    public void Add(int minute)
    {
        if (_all is not null)
        {
            _mask |= 1UL << minute;
            _all[minute]++;
        }
        else if (_firstClicks == 0 || _first == minute)
        {
            _first = minute;
            _firstClicks++;
            _mask |= 1UL << minute;
        }
        else if (_secondClicks == 0 || _second == minute)
        {
            _second = minute;
            _secondClicks++;
            _mask |= 1UL << minute;
        }
        else
        {
            Spread(minute);
        }
    }

    /// <summary>Moves the counts to <paramref name="to"/>, ascending by minute.</summary>
    public void Take(Span<MinuteCount> to)
    {
        int at = 0;
        for (ulong left = _mask; left != 0; left &= left - 1)
        {
            int minute = BitOperations.TrailingZeroCount(left);
            long clicks = _all is not null ? _all[minute] : minute == _first && _firstClicks > 0 ? _firstClicks : _secondClicks;
            to[at++] = new MinuteCount((byte)minute, clicks);
        }

        // A window that was busy in many minutes of one batch (a replay of old clicks) rarely is in the next:
        // the array goes, so that 100,000 slots do not each keep 480 bytes.
        _all = null;
        _mask = 0;
        _firstClicks = 0;
        _secondClicks = 0;
    }

    private void Spread(int minute)
    {
        _all = new long[60];
        _all[_first] = _firstClicks;
        _all[_second] = _secondClicks;
        _all[minute] = 1;
        _mask |= 1UL << minute;
    }
}
