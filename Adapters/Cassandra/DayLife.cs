using System.Collections.Concurrent;
using ClickAggregator.Clicks;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>What is noted of a day is kept as long as any of its series; asked once for each day of a question.</summary>
internal sealed class DayLife(CassandraStore store, long now)
{
    private static readonly string[] s_prefixes = ["total", "kind:", .. TargetKinds.All.Select(kind => TargetKinds.Name(kind) + ":"), "campaign:"];

    private readonly ConcurrentDictionary<int, bool> _lives = new();

    /// <param name="day">The day.</param>
    /// <param name="written">When the row was last written, milliseconds since the epoch.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<bool> KeepsAsync(int day, long written, CancellationToken cancellationToken)
    {
        if (!store.Keeping.IsOver(day, written, now))
        {
            return true;
        }

        if (!_lives.TryGetValue(day, out bool lives))
        {
            _lives[day] = lives = await LivesAsync(day, cancellationToken).ConfigureAwait(false);
        }

        return lives;
    }

    private async Task<bool> LivesAsync(int day, CancellationToken cancellationToken)
    {
        foreach (bool withBars in new[] { false, true })
        {
            foreach (string prefix in s_prefixes)
            {
                if ((await store.Series.ListAsync(prefix, day, day + 1, null, 1, now, cancellationToken, withBars).ConfigureAwait(false)).Count > 0)
                {
                    return true;
                }
            }
        }

        return false;
    }
}
