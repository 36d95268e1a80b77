namespace ClickAggregator.Streaming.Receiving;

/// <summary>Waits 100 ms after a fault, twice as long after each next one, up to 5 s. The waiting is the caller's.</summary>
internal sealed class Backoff(TimeProvider time)
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);
    private TimeSpan _wait;
    private long _since;

    public bool IsWaiting => _wait > TimeSpan.Zero && time.GetElapsedTime(_since) < _wait;

    public TimeSpan Wait()
    {
        _since = time.GetTimestamp();
        _wait = _wait == TimeSpan.Zero ? s_first : _wait * 2 < s_longest ? _wait * 2 : s_longest;
        return _wait;
    }

    public void Reset() => _wait = TimeSpan.Zero;
}
