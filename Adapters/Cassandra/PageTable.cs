using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// What page ids stand for. A page whose days end has, besides its URL, the days it was clicked in: it is kept as long as one of
/// them is.
/// </summary>
internal sealed class PageTable(CassandraStore store)
{
    // What is taken from it is the timestamp of a URL: that of the click that came first wins.
    private const long Latest = 1L << 52;

    public Task PutAsync(PageRow page, long now, CancellationToken cancellationToken) =>
        PutAsync(page.Target, page.Url, page.FirstSeen, DayOf(page.FirstSeen), now, now, cancellationToken);

    /// <summary>Keeps the page as long as the day, which it is first clicked in now.</summary>
    public async Task NoteDayAsync(DayKey key, long stamp, long written, long now, CancellationToken cancellationToken)
    {
        int bar = key.Series.IndexOf('|', StringComparison.Ordinal);
        string target = bar < 0 ? key.Series : key.Series[..bar];
        await store.Cql.ExecuteAsync(
            store.Statements.PutTargetDay.Bind(stamp, store.Keeping.RowTtl(key.Day, written, now), new HashSet<int> { key.Day }, target),
            cancellationToken).ConfigureAwait(false);
        if (await GetAsync(target, cancellationToken).ConfigureAwait(false) is { } page)
        {
            // The same again, under its own timestamp: of two equal cells the one that expires later stays.
            await PutAsync(target, page.Url, page.FirstSeen, key.Day, written, now, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The URL; null where there is none, or no day of the page is left.</summary>
    public async Task<string?> ReadAsync(string target, long now, CancellationToken cancellationToken)
    {
        if (await GetAsync(target, cancellationToken).ConfigureAwait(false) is not { } page)
        {
            return null;
        }

        if (!store.Keeping.HasEnded(DayOf(page.FirstSeen), now))
        {
            return page.Url;
        }

        foreach (int day in page.Days.OrderDescending())
        {
            if (!store.Keeping.HasEnded(day, now)
                || await store.Series.LivesAsync(target, day, now, cancellationToken).ConfigureAwait(false)
                || (await store.Series.ListAsync(target + "|", day, day + 1, null, 1, now, cancellationToken).ConfigureAwait(false)).Count > 0)
            {
                return page.Url;
            }
        }

        return null;
    }

    private static int DayOf(long milliseconds) => (int)Calendar.FloorDiv(milliseconds, Calendar.DayMilliseconds);

    private Task<CqlPage> PutAsync(string target, string url, long firstSeen, int day, long written, long now, CancellationToken cancellationToken) =>
        store.Cql.ExecuteAsync(
            store.Statements.PutTarget.Bind(target, url, DateTimeOffset.FromUnixTimeMilliseconds(firstSeen), Latest - firstSeen,
                store.Keeping.RowTtl(day, written, now)),
            cancellationToken);

    private async Task<(string Url, long FirstSeen, HashSet<int> Days)?> GetAsync(string target, CancellationToken cancellationToken)
    {
        CqlRow? found = await store.Cql.QueryFirstAsync(store.Statements.GetTarget.Bind(target), cancellationToken).ConfigureAwait(false);
        return found is { } row && row.GetOrDefault<string>("url") is string url
            ? (url, row.GetOrDefault<DateTimeOffset?>("first_seen")?.ToUnixTimeMilliseconds() ?? 0, row.Get<HashSet<int>>("days"))
            : null;
    }
}
