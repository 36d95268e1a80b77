namespace ClickAggregator.Streaming;

/// <summary>
/// Which messages of an outage are told: the first of a kind, and after that one a minute, for all partitions of a process
/// together. Each of them would come every few seconds, for as long as the outage lasts. Safe for concurrent use.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class SeldomSaid(TimeProvider time)
{
    private static readonly TimeSpan s_every = TimeSpan.FromMinutes(1);
    private readonly Dictionary<object, (long At, long Unsaid)> _said = [];

    /// <summary>Whether to say it now.</summary>
    /// <param name="kind">What is said; of few values, by which messages are told apart.</param>
    /// <param name="unsaid">How many of the kind were not said since the last one was.</param>
    public bool IsDue(object kind, out long unsaid)
    {
        ArgumentNullException.ThrowIfNull(kind);
        lock (_said)
        {
            (long at, unsaid) = _said.GetValueOrDefault(kind);
            if (at != 0 && time.GetElapsedTime(at) < s_every)
            {
                _said[kind] = (at, unsaid + 1);
                return false;
            }

            _said[kind] = (time.GetTimestamp(), 0);
            return true;
        }
    }
}
