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

    /// <summary>The windows of some series, and the last of these series; null where there is none behind.</summary>
    private static (List<StoredWindow> Windows, string? Last) Windows(ReadSession session, int hour, int chain, string after)
    {
        int day = (int)Math.Floor(hour / 24d);
        Statement get = session.Prepare("""
            SELECT s.series, h.quarters, h.minutes, h.upto, h.stamp, h.set_aside, h.run, d.quarters
            FROM series_by_day s LEFT JOIN clicks_by_hour h ON h.series = s.series AND h.hour = ?1 AND h.chain = ?2
                LEFT JOIN clicks_by_day d ON d.series = s.series AND d.day = ?3 AND d.chain = ?2
            WHERE s.day = ?3 AND s.series > ?4 ORDER BY s.series LIMIT ?5
            """).Bind(1, hour).Bind(2, chain).Bind(3, day).Bind(4, after).Bind(5, SeriesPerStep);
        var windows = new List<StoredWindow>();
        int seen = 0;
        try
        {
            long[] ofDay = new long[96];
            for (; get.Step(); seen++)
            {
                after = get.Text(0);
                CountCodec.Read(get.Bytes(7), ofDay);
                long[]? quarters = get.IsNull(7) ? null : ofDay.AsSpan((hour - (day * 24)) * 4, 4).ToArray();
                bool isThere = !get.IsNull(4);
                if (isThere || (quarters is not null && quarters.AsSpan().ContainsAnyExcept(0)))
                {
                    WindowRow row = isThere ? ReadSession.RowOf(get, 1) : new WindowRow();
                    row.DayClicks = CountCodec.Sum(ofDay);
                    windows.Add(new StoredWindow(new WindowKey(after, hour, chain), row, quarters));
                }
            }
        }
        finally
        {
            get.Reset();
        }

        return (windows, seen == SeriesPerStep ? after : null);
    }
}
