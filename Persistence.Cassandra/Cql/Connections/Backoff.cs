namespace ClickAggregator.Persistence.Cassandra.Cql.Connections;

/// <summary>Pauses that double up to a bound; the random half keeps clients from coming back all at once.</summary>
internal sealed class Backoff(CqlOptions options)
{
    private int _failures;

    public void Reset() => _failures = 0;

    public TimeSpan Next()
    {
        double whole = Math.Min(
            options.ReconnectMaxDelay.TotalMilliseconds, options.ReconnectDelay.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, 30)));
        return TimeSpan.FromMilliseconds(whole * (0.5 + (0.5 * Random.Shared.NextDouble())));
    }
}
