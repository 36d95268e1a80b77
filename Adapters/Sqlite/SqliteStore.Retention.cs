using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <content>
/// Forgetting, in small steps: by the time of a row's last write, and never before the row's own time has ended. Each
/// step reads what is old, and asks again in the write, where nothing comes in between. See the folder's README.
/// </content>
public sealed partial class SqliteStore
{
    private const int RowsPerStep = 2_000;
    private const long HourMicros = 3_600_000_000;
    private const long DayMicros = 24 * HourMicros;

    private static readonly (string Series, int Time, int Chain) s_first = ("", int.MinValue, int.MinValue);

    /// <summary>
    /// One pass over the store: minutes that are past their time, then whole days with all that is derived from them.
    /// </summary>
    /// <param name="now">The time to measure from.</param>
    /// <param name="cancellationToken">Ends it between two steps.</param>
    public async Task ForgetAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await ForgetMinutesAsync(Micros(now - _options.RetentionMinutes), cancellationToken);
        if (_options.RetentionDays is TimeSpan days)
        {
            long before = Micros(now - days);
            await ForgetDaysAsync(before, cancellationToken);
            await ForgetDerivedAsync(before, cancellationToken);
        }
    }

    private Task ForgetMinutesAsync(long before, CancellationToken cancellationToken) => StepAsync(
        (session, after) => OldRows(
            session.Prepare("""
                SELECT series, hour, chain, minutes IS NOT NULL AND stamp < ?1 AND hour < ?2 FROM clicks_by_hour
                WHERE (series, hour, chain) > (?3, ?4, ?5) ORDER BY series, hour, chain LIMIT ?6
                """).Bind(2, Floor(before, HourMicros)),
            before,
            after),
        (statements, series, hour, chain) =>
        {
            if (statements.ForgetMinutes.Bind(1, series).Bind(2, hour).Bind(3, chain).Bind(4, before).Run() > 0)
            {
                statements.RaiseFact.Bind(1, "minutes_floor").Bind(2, hour + 1L).Run();
            }
        },
        cancellationToken);

    private Task ForgetDaysAsync(long before, CancellationToken cancellationToken) => StepAsync(
        (session, after) => OldRows(
            session.Prepare("""
                SELECT series, day, chain, stamp < ?1 AND day < ?2 FROM clicks_by_day
                WHERE (series, day, chain) > (?3, ?4, ?5) ORDER BY series, day, chain LIMIT ?6
                """).Bind(2, Floor(before, DayMicros)),
            before,
            after),
        (statements, series, day, chain) =>
        {
            if (statements.DeleteDay.Bind(1, series).Bind(2, day).Bind(3, chain).Bind(4, before).Run() > 0)
            {
                statements.DeleteHours.Bind(1, series).Bind(2, day * 24L).Bind(3, (day + 1) * 24L).Bind(4, chain).Run();
                statements.DeleteSeries.Bind(1, day).Bind(2, series).Run();
                statements.RaiseFact.Bind(1, "forgotten_before").Bind(2, before).Run();
            }
        },
        cancellationToken);

    /// <summary>Walks a table in the order of its keys, a step at a time.</summary>
    private async Task StepAsync(
        Func<ReadSession, (string Series, int Time, int Chain), OldStep> read,
        Action<WriteStatements, string, int, int> forget,
        CancellationToken cancellationToken)
    {
        OldStep step;
        (string Series, int Time, int Chain) after = s_first;
        do
        {
            (string, int, int) from = after;
            step = await ReadAsync(session => read(session, from), cancellationToken);
            after = step.Last;
            if (step.Old.Count > 0)
            {
                await _writer.WriteAsync(new ActionWrite(statements =>
                {
                    foreach ((string series, int time, int chain) in step.Old)
                    {
                        forget(statements, series, time, chain);
                    }
                }));
            }
        }
        while (step.Seen == RowsPerStep);
    }

    private static OldStep OldRows(Statement rows, long before, (string Series, int Time, int Chain) after)
    {
        rows.Bind(1, before).Bind(3, after.Series).Bind(4, after.Time).Bind(5, after.Chain).Bind(6, RowsPerStep);
        var old = new List<(string, int, int)>();
        int seen = 0;
        try
        {
            for (; rows.Step(); seen++)
            {
                after = (rows.Text(0), (int)rows.Number(1), (int)rows.Number(2));
                if (rows.Number(3) != 0)
                {
                    old.Add(after);
                }
            }
        }
        finally
        {
            rows.Reset();
        }

        return new OldStep(old, seen, after);
    }

    /// <summary>What names or ranks windows goes with the last window that it names or ranks.</summary>
    private async Task ForgetDerivedAsync(long before, CancellationToken cancellationToken)
    {
        long endDay = Floor(before, DayMicros);
        foreach (TargetKind kind in TargetKinds.All)
        {
            foreach (TopSlice slice in Enum.GetValues<TopSlice>())
            {
                long perDay = slice == TopSlice.Day ? 1 : 24;
                List<(long Start, long Chain)> lists = await ReadAsync(session => OldTops(session, kind, slice, endDay * perDay), cancellationToken);
                string series = TargetKinds.Name(kind);
                foreach ((long Start, long Chain)[] some in lists.Chunk(RowsPerStep))
                {
                    await _writer.WriteAsync(new ActionWrite(statements =>
                    {
                        foreach ((long start, long chain) in some)
                        {
                            statements.DeleteTop.Bind(1, (long)kind).Bind(2, (long)slice).Bind(3, start).Bind(4, chain).Bind(5, before)
                                .Bind(6, Floor(start, perDay)).Bind(7, series + ":").Bind(8, series + ";").Run();
                        }
                    }));
                }
            }
        }

        await _writer.WriteAsync(new ActionWrite(statements => statements.DeleteHourMarks.Bind(1, endDay * 24).Bind(2, before).Run()));
        await ForgetLedgerAsync(endDay, before, cancellationToken);
        await ForgetPagesAsync(endDay * DayMicros / 1000, cancellationToken);
    }

    private async Task ForgetPagesAsync(long firstSeenBefore, CancellationToken cancellationToken)
    {
        string after = "";
        int seen;
        do
        {
            string from = after;
            (List<string> old, seen, after) = await ReadAsync(session => OldPages(session, firstSeenBefore, from), cancellationToken);
            if (old.Count > 0)
            {
                await _writer.WriteAsync(new ActionWrite(statements => old.ForEach(page => statements.DeleteTarget.Bind(1, page).Run())));
            }
        }
        while (seen == RowsPerStep);
    }

    private static List<(long Start, long Chain)> OldTops(ReadSession session, TargetKind kind, TopSlice slice, long end)
    {
        Statement rows = session.Prepare("SELECT start, chain FROM tops WHERE kind = ? AND slice = ? AND start < ?")
            .Bind(1, (long)kind).Bind(2, (long)slice).Bind(3, end);
        var old = new List<(long, long)>();
        try
        {
            while (rows.Step())
            {
                old.Add((rows.Number(0), rows.Number(1)));
            }
        }
        finally
        {
            rows.Reset();
        }

        return old;
    }

    private static (List<string> Old, int Seen, string Last) OldPages(ReadSession session, long firstSeenBefore, string after)
    {
        // The series of a page are its own and those behind a bar.
        Statement rows = session.Prepare("""
            SELECT target, first_seen < ?1
                AND NOT EXISTS (SELECT 1 FROM clicks_by_day WHERE series = target)
                AND NOT EXISTS (SELECT 1 FROM clicks_by_day WHERE series >= target || '|' AND series < target || '}')
            FROM targets WHERE target > ?2 ORDER BY target LIMIT ?3
            """).Bind(1, firstSeenBefore).Bind(2, after).Bind(3, RowsPerStep);
        var old = new List<string>();
        int seen = 0;
        try
        {
            for (; rows.Step(); seen++)
            {
                after = rows.Text(0);
                if (rows.Number(1) != 0)
                {
                    old.Add(after);
                }
            }
        }
        finally
        {
            rows.Reset();
        }

        return (old, seen, after);
    }

    private static long Micros(DateTimeOffset time) => time.ToUnixTimeMilliseconds() * 1000;

    private static long Floor(long value, long by) => (value - (((value % by) + by) % by)) / by;

    private sealed record OldStep(List<(string Series, int Time, int Chain)> Old, int Seen, (string Series, int Time, int Chain) Last);
}
