using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <content>What is stored of an hour.</content>
internal sealed partial class SqliteLedger
{
    private const int SeriesPerStep = 2_000;

    public async IAsyncEnumerable<StoredWindow> ReadWindowsAsync(int hour, int chain, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = "";
        while (after is not null)
        {
            string from = after;
            (List<StoredWindow> windows, after) = await store.ReadAsync(session => Windows(session, hour, chain, from), cancellationToken);
            foreach (StoredWindow window in windows)
            {
                yield return window;
            }
        }
    }

    public Task<IReadOnlyList<StoredWindow>> FindWindowsAsync(IReadOnlyList<string> series, int hour, int chain, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<StoredWindow>>(session => Windows(session, series, hour, chain), cancellationToken);

    /// <summary>The windows of some series, and the last of these series; null where there is none behind.</summary>
    private static (List<StoredWindow> Windows, string? Last) Windows(ReadSession session, int hour, int chain, string after)
    {
        int day = (int)Math.Floor(hour / 24d);
        Statement get = session.Prepare($"""
            SELECT s.series, h.quarters, h.minutes, h.upto, h.stamp, h.set_aside, h.run, CASE WHEN {OnlyTheDay("s.series")} THEN NULL ELSE d.quarters END,
                EXISTS (SELECT 1 FROM series_by_day WHERE day = ?3 AND series = s.series)
            FROM (
                    SELECT series FROM clicks_by_hour WHERE hour = ?1 AND chain = ?2 AND series > ?4
                    UNION
                    SELECT series FROM clicks_by_day WHERE day = ?3 AND chain = ?2 AND series > ?4
                    ORDER BY series LIMIT ?5) s
                LEFT JOIN clicks_by_hour h ON h.series = s.series AND h.hour = ?1 AND h.chain = ?2
                LEFT JOIN clicks_by_day d ON d.series = s.series AND d.day = ?3 AND d.chain = ?2
            ORDER BY s.series
            """).Bind(1, hour).Bind(2, chain).Bind(3, day).Bind(4, after).Bind(5, SeriesPerStep);
        var windows = new List<StoredWindow>();
        int seen = 0;
        try
        {
            for (; get.Step(); seen++)
            {
                after = get.Text(0);
                Add(windows, get, new WindowKey(after, hour, chain), day);
            }
        }
        finally
        {
            get.Reset();
        }

        return (windows, seen == SeriesPerStep ? after : null);
    }

    private static List<StoredWindow> Windows(ReadSession session, IReadOnlyList<string> series, int hour, int chain)
    {
        int day = (int)Math.Floor(hour / 24d);
        Statement get = session.Prepare($"""
            SELECT ?4, h.quarters, h.minutes, h.upto, h.stamp, h.set_aside, h.run, CASE WHEN {OnlyTheDay("?4")} THEN NULL ELSE d.quarters END,
                EXISTS (SELECT 1 FROM series_by_day WHERE day = ?3 AND series = ?4)
            FROM (SELECT 1) LEFT JOIN clicks_by_hour h ON h.series = ?4 AND h.hour = ?1 AND h.chain = ?2
                LEFT JOIN clicks_by_day d ON d.series = ?4 AND d.day = ?3 AND d.chain = ?2
            """).Bind(1, hour).Bind(2, chain).Bind(3, day);
        var windows = new List<StoredWindow>();
        foreach (string one in series)
        {
            try
            {
                get.Bind(4, one).Step();
                Add(windows, get, new WindowKey(one, hour, chain), day);
            }
            finally
            {
                get.Reset();
            }
        }

        return windows;
    }

    // A day is set aside while an hour of it is; otherwise somebody damaged it, and it says nothing.
    private static string OnlyTheDay(string series) => $"""
        d.set_aside <> 0 AND NOT EXISTS (
                    SELECT 1 FROM clicks_by_hour a WHERE a.series = {series} AND a.hour >= ?3 * 24 AND a.hour < (?3 + 1) * 24 AND a.chain = ?2 AND a.set_aside <> 0)
        """;

    private static void Add(List<StoredWindow> windows, Statement at, WindowKey key, int day)
    {
        Span<long> ofDay = stackalloc long[96];
        long[]? quarters = !CountCodec.TryRead(at.Bytes(7), ofDay) || at.IsNull(7) ? null : ofDay.Slice((key.Hour - (day * 24)) * 4, 4).ToArray();
        bool isThere = !at.IsNull(4);
        if (isThere || (quarters is not null && quarters.AsSpan().ContainsAnyExcept(0)))
        {
            WindowRow row = isThere ? ReadSession.RowOf(at, 1) : new WindowRow();
            row.DayClicks = CountCodec.Sum(ofDay);
            windows.Add(new StoredWindow(key, row, quarters, at.Number(8) != 0));
        }
    }
}
