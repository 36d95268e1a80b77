using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <content>Forgetting, in small steps: by the time of a row's last write, and a day only once no click of it counts any more.</content>
public sealed partial class SqliteStore
{
    private const int RowsPerStep = 2_000;

    /// <summary>
    /// One pass over the store: minutes that are past their time, then whole days. A day goes with its hours, and only
    /// when the last write to any of them is old enough, so nothing that is derived outlives what it is derived from.
    /// </summary>
    /// <param name="now">The time to measure from.</param>
    /// <param name="cancellationToken">Ends it between two steps.</param>
    public async Task ForgetAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        long minutesBefore = Micros(now - _options.RetentionMinutes);
        (string Series, int Hour, int Chain) after = ("", int.MinValue, int.MinValue);
        while (true)
        {
            (List<WindowKey> old, int seen, after) = await ReadAsync(session => OldMinutes(session, after, minutesBefore), cancellationToken);
            if (old.Count > 0)
            {
                await _writer.WriteAsync(new ActionWrite(statements =>
                {
                    foreach (WindowKey key in old)
                    {
                        statements.ForgetMinutes.Bind(1, key.Series).Bind(2, key.Hour).Bind(3, key.Chain).Run();
                        statements.RaiseFact.Bind(1, "minutes_floor").Bind(2, key.Hour + 1).Run();
                    }
                }));
            }

            if (seen < RowsPerStep)
            {
                break;
            }
        }

        if (_options.RetentionDays is TimeSpan days)
        {
            await ForgetDaysAsync(now - days, cancellationToken);
        }
    }

    private async Task ForgetDaysAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        List<WindowKey> old;
        do
        {
            old = await ReadAsync(session => OldDays(session, before), cancellationToken);
            if (old.Count > 0)
            {
                await _writer.WriteAsync(new ActionWrite(statements =>
                {
                    foreach ((string series, int day, int chain) in old)
                    {
                        statements.DeleteHours.Bind(1, series).Bind(2, day * 24L).Bind(3, (day + 1) * 24L).Bind(4, chain).Run();
                        statements.DeleteDay.Bind(1, series).Bind(2, day).Bind(3, chain).Run();
                        statements.DeleteSeries.Bind(1, day).Bind(2, series).Run();
                    }
                }));
            }
        }
        while (old.Count == RowsPerStep);
    }

    private static (List<WindowKey> Old, int Seen, (string Series, int Hour, int Chain) After) OldMinutes(
        ReadSession session, (string Series, int Hour, int Chain) after, long before)
    {
        Statement rows = session.Prepare("""
            SELECT series, hour, chain, minutes IS NOT NULL AND stamp < ? FROM clicks_by_hour
            WHERE (series, hour, chain) > (?, ?, ?) ORDER BY series, hour, chain LIMIT ?
            """).Bind(1, before).Bind(2, after.Series).Bind(3, after.Hour).Bind(4, after.Chain).Bind(5, RowsPerStep);
        var old = new List<WindowKey>();
        int seen = 0;
        try
        {
            while (rows.Step())
            {
                seen++;
                after = (rows.Text(0), (int)rows.Number(1), (int)rows.Number(2));
                if (rows.Number(3) != 0)
                {
                    old.Add(new WindowKey(after.Series, after.Hour, after.Chain));
                }
            }
        }
        finally
        {
            rows.Reset();
        }

        return (old, seen, after);
    }

    /// <summary>Days in place of hours in the keys.</summary>
    private static List<WindowKey> OldDays(ReadSession session, DateTimeOffset before)
    {
        // A day that is not as old as that itself can still be clicked, however long ago it was written last: its windows
        // would begin anew, and an hour would show the late click alone.
        Statement rows = session.Prepare("SELECT series, day, chain FROM clicks_by_day WHERE stamp < ? AND day < ? LIMIT ?")
            .Bind(1, Micros(before)).Bind(2, before.ToUnixTimeSeconds() / 86_400).Bind(3, RowsPerStep);
        var old = new List<WindowKey>();
        try
        {
            while (rows.Step())
            {
                old.Add(new WindowKey(rows.Text(0), (int)rows.Number(1), (int)rows.Number(2)));
            }
        }
        finally
        {
            rows.Reset();
        }

        return old;
    }

    private static long Micros(DateTimeOffset time) => time.ToUnixTimeMilliseconds() * 1000;
}
