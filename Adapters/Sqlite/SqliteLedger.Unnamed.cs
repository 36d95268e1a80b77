using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <content>What is stored and named by no index: day by day, by the indexes of hours and of days.</content>
internal sealed partial class SqliteLedger
{
    /// <summary>Days are looked at from 1970 to about the year 12900.</summary>
    private const int LastDay = 4_000_000;

    /// <summary>Of an hour, and of a day: what is more is found once these are corrected.</summary>
    private const int MostUnnamed = 100_000;

    public int UnnamedParts => 64;

    public async IAsyncEnumerable<StrayWindow> FindUnnamedAsync(int part, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (int? day = await NextDayAsync(0, cancellationToken); day is int at; day = await NextDayAsync(at + 1, cancellationToken))
        {
            if (at % UnnamedParts != part)
            {
                continue;
            }

            // An hour at a time: a long view would keep the log of the writer from starting over.
            for (int hour = at * 24; hour < (at + 1) * 24; hour++)
            {
                int of = hour;
                foreach (WindowKey key in await store.ReadAsync(session => OfRows(session, of), cancellationToken))
                {
                    yield return new StrayWindow(key);
                }
            }

            foreach (WindowKey key in await store.ReadAsync(session => OfDays(session, at), cancellationToken))
            {
                yield return new StrayWindow(key);
            }
        }
    }

    // Its rows say their hour alone.
    public Task<bool> RemoveAstrayAsync(WindowKey key, int day, CancellationToken cancellationToken) => Task.FromResult(true);

    // A run looks at what is stored of an hour, of whatever series.
    public bool IsReached(string series) => true;

    // It finds them without a name, and says in the ledger that they had none.
    public Task<bool> NameAsync(WindowKey key, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <summary>The first day with anything from a day on; null for none.</summary>
    private Task<int?> NextDayAsync(int from, CancellationToken cancellationToken) => store.ReadAsync<int?>(session =>
    {
        Statement get = session.Prepare("""
            SELECT min(day) FROM (
                SELECT min(day) AS day FROM clicks_by_day WHERE day >= ?1
                UNION ALL SELECT (SELECT min(hour) FROM clicks_by_hour WHERE hour >= ?1 * 24) / 24)
            WHERE day <= ?2
            """).Bind(1, from).Bind(2, LastDay);
        try
        {
            get.Step();
            return get.IsNull(0) ? null : (int)get.Number(0);
        }
        finally
        {
            get.Reset();
        }
    }, cancellationToken);

    private static List<WindowKey> OfRows(ReadSession session, int hour)
    {
        Statement get = session.Prepare("""
            SELECT h.series, h.chain FROM clicks_by_hour h WHERE h.hour = ?1
                AND NOT EXISTS (SELECT 1 FROM series_by_day WHERE day = ?1 / 24 AND series = h.series) LIMIT ?2
            """).Bind(1, hour).Bind(2, MostUnnamed);
        var found = new List<WindowKey>();
        try
        {
            while (get.Step())
            {
                found.Add(new WindowKey(get.Text(0), hour, (int)get.Number(1)));
            }
        }
        finally
        {
            get.Reset();
        }

        return found;
    }

    private static List<WindowKey> OfDays(ReadSession session, int day)
    {
        Statement get = session.Prepare("""
            SELECT d.series, d.chain, d.quarters FROM clicks_by_day d WHERE d.day = ?1
                AND NOT EXISTS (SELECT 1 FROM series_by_day WHERE day = ?1 AND series = d.series) LIMIT ?2
            """).Bind(1, day).Bind(2, MostUnnamed);
        var found = new List<WindowKey>();
        Span<long> quarters = stackalloc long[96];
        try
        {
            while (get.Step())
            {
                bool reads = CountCodec.TryRead(get.Bytes(2), quarters);
                for (int hour = 0; hour < 24; hour++)
                {
                    if (reads && quarters.Slice(hour * 4, 4).ContainsAnyExcept(0))
                    {
                        found.Add(new WindowKey(get.Text(0), (day * 24) + hour, (int)get.Number(1)));
                    }
                }
            }
        }
        finally
        {
            get.Reset();
        }

        return found;
    }
}
