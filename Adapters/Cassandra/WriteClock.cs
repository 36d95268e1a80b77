namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// Timestamps of writes that no chain orders, in microseconds: each above the one before, and above all that this process has
/// read. So whoever goes on with what another left writes above it, whatever their clocks say.
/// </summary>
internal sealed class WriteClock(TimeProvider time)
{
    private long _last;

    public long Next()
    {
        while (true)
        {
            long last = Volatile.Read(ref _last);
            long next = Math.Max(last + 1, time.GetUtcNow().ToUnixTimeMilliseconds() * 1000);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
            {
                return next;
            }
        }
    }

    public void Saw(long timestamp)
    {
        long last;
        while ((last = Volatile.Read(ref _last)) < timestamp && Interlocked.CompareExchange(ref _last, timestamp, last) != last)
        {
        }
    }
}
