using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// The windows' own rows. Every write names every column, in one mutation under one timestamp, the row's stamp: of two writes
/// one wins as a whole, whenever it arrives.
/// </summary>
#pragma warning disable CA1001 // The semaphore holds nothing but memory, and writes may end after the store.
internal sealed class WindowTable(CassandraStore store)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _turns = new(store.Options.MaxWindows);

    /// <summary>The row, and the clicks of its day; one with stamp 0 where there is none.</summary>
    public async Task<WindowRow> ReadAsync(WindowKey key, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await ReadNowAsync(key, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Writes a row, and what is derived from it before it.</summary>
    /// <param name="key">Which window.</param>
    /// <param name="row">Gets the clicks of the day.</param>
    /// <param name="known">A stamp that the stored row has at least; null where nobody knows.</param>
    /// <param name="cancellationToken">After it nobody knows what is written.</param>
    /// <returns>The stamp that the stored row has at least now.</returns>
    public async Task<long> WriteAsync(WindowKey key, WindowRow row, long? known, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        var dayKey = new DayKey(key.Series, Calendar.DayOf(key.Hour), key.Chain);
        DayCounts day = store.Days.Memory.Hold(dayKey);
        try
        {
            known ??= (await ReadNowAsync(key, cancellationToken).ConfigureAwait(false)).Stamp;
            long now = store.Keeping.Now();
            DayView view = await store.Days.BeforeWriteAsync(dayKey, day, now, cancellationToken).ConfigureAwait(false);

            // Between different stamps the timestamps decide, whatever is known here. Of equal ones Cassandra would take the
            // greater value, cell by cell.
            if (row.Stamp > known && row.Stamp > 0)
            {
                long written = Keeping.WrittenAt(now, row.Stamp, view.Written);
                await store.Range.NoteAsync(key.Hour, key.Hour, cancellationToken).ConfigureAwait(false);
                // With a correction anew: somebody may have deleted the name, and then nobody finds the series again.
                if (!view.Exists || row.Run is not null)
                {
                    await store.Series.PutAsync(dayKey, row.Stamp, written, now, cancellationToken).ConfigureAwait(false);
                }

                await PutAsync(key, dayKey, row, written, now, cancellationToken).ConfigureAwait(false);
                view = day.Set(key.Hour - (dayKey.Day * 24), row.Clicks, row.Stamp, written);
                known = row.Stamp;
            }

            row.DayClicks = view.Clicks;
            return known.Value;
        }
        catch
        {
            day.Doubt();
            throw;
        }
        finally
        {
            store.Days.Memory.Release(day);
            _turns.Release();
        }
    }

    /// <summary>The row, and the hours of its day (null for none), for a reader that is not the window: nothing is remembered of them.</summary>
    public async Task<(WindowRow Row, DayHours? Day)> PeekAsync(WindowKey key, long now, CancellationToken cancellationToken)
    {
        var dayKey = new DayKey(key.Series, Calendar.DayOf(key.Hour), key.Chain);
        Task<CqlRow?> reading = store.Cql.QueryFirstAsync(
            store.Statements.GetDay.Bind(key.Series, dayKey.Year, dayKey.Day, key.Chain), cancellationToken);
        CqlRow? row;
        try
        {
            row = await store.Cql.QueryFirstAsync(
                store.Statements.GetWindow.Bind(key.Series, dayKey.Day, key.Hour, key.Chain), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        CqlRow? found = await reading.ConfigureAwait(false);
        DayHours? day = found is { } ofDay ? CountColumns.Day(ofDay) : null;
        long written = found is { } when ? WrittenOf(when) : 0;
        var view = new DayView(day is not null, day?.Quarters.Sum() ?? 0, 0, written);
        return (RowOf(key, row, view, now), store.Keeping.IsOver(dayKey.Day, written, now) ? null : day);
    }

    /// <summary>A row as it was read by a scan, where nobody asks what day it is in.</summary>
    public WindowRow RowOf(int hour, CqlRow stored, long now)
    {
        long[] quarters = stored.Get<long[]>("quarters");
        string? run = stored.GetOrDefault<string>("run");
        long written = WrittenOf(stored);
        bool whole = quarters.Length == 4 && run is not null && !stored.IsNull("stamp") && !stored.IsNull("upto") && !stored.IsNull("set_aside");
        return new WindowRow
        {
            Quarters = quarters.Length == 4 ? quarters : new long[4],
            Minutes = store.Keeping.AreMinutesOver(hour, written, now) ? null : CountColumns.Minutes(stored),
            Upto = stored.GetOrDefault<long>("upto"),
            Stamp = stored.GetOrDefault<long>("stamp"),
            SetAside = !whole || stored.Get<bool>("set_aside"),

            // A run that was written to a row which then lacks something was not put in place: read back, it is not there.
            Run = whole && run is { Length: > 0 } ? run : null,
        };
    }

    /// <summary>What the window had at a finalisation; null where that is not there, or was altered.</summary>
    public static CountsAtFinal? AtFinalOf(WindowKey key, CqlRow stored) =>
        stored.TryGetBytes("at_final", out ReadOnlySpan<byte> bytes) ? CountsAtFinalCodec.Read(key, bytes) : null;

    public static long WrittenOf(CqlRow stored) => stored.GetOrDefault<DateTimeOffset?>("written")?.ToUnixTimeMilliseconds() ?? 0;

    /// <summary>The latest time of its cells, as far as they are there.</summary>
    public static long LatestOf(CqlRow stored) => Times(stored).Highest;

    private async Task<WindowRow> ReadNowAsync(WindowKey key, CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        var dayKey = new DayKey(key.Series, Calendar.DayOf(key.Hour), key.Chain);
        DayCounts day = store.Days.Memory.Hold(dayKey);
        try
        {
            Task<CqlRow?> reading = store.Cql.QueryFirstAsync(
                store.Statements.GetWindow.Bind(key.Series, dayKey.Day, key.Hour, key.Chain), cancellationToken);
            DayView view;
            DayHours? hours;
            try
            {
                (view, hours) = await store.Days.ReadAsync(dayKey, day, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            WindowRow row = RowOf(key, await reading.ConfigureAwait(false), view, now);
            row.DayAgrees = row.Stamp == 0 || (hours is not null && hours.Agrees(key.Hour - (dayKey.Day * 24), row)
                && (row.Run is null || await store.Series.HasAsync(dayKey, cancellationToken).ConfigureAwait(false)));
            return row;
        }
        finally
        {
            store.Days.Memory.Release(day);
        }
    }

    private WindowRow RowOf(WindowKey key, CqlRow? found, DayView day, long now)
    {
        int dayNumber = Calendar.DayOf(key.Hour);
        bool dayIsOver = store.Keeping.IsOver(dayNumber, day.Written, now);
        WindowRow row = new();
        if (found is { } stored && !(dayIsOver && store.Keeping.IsOver(dayNumber, WrittenOf(stored), now)))
        {
            row = RowOf(key.Hour, stored, now);
            row.AtFinal = AtFinalOf(key, stored);
            (long lowest, long highest) = Times(stored);
            if (lowest != row.Stamp || highest != row.Stamp)
            {
                // Something that is not our chain wrote here or deleted a part. The row is believed no more until a recount
                // has written over it, and has the highest time found: what is to have effect has to be above.
                row.SetAside = true;
                row.Stamp = Math.Max(row.Stamp, highest);
            }
        }

        row.DayClicks = dayIsOver ? 0 : day.Clicks;
        row.ForgottenBefore = store.Keeping.ForgottenBefore(now);
        return row;
    }

    private static (long Lowest, long Highest) Times(CqlRow stored)
    {
        long lowest = long.MaxValue, highest = long.MinValue;
        foreach (string column in new[] { "at0", "at1", "at2", "at3", "at4", "at5", "at6" })
        {
            if (!stored.IsNull(column))
            {
                long at = stored.Get<long>(column);
                (lowest, highest) = (Math.Min(lowest, at), Math.Max(highest, at));
            }
        }

        return (lowest, highest);
    }

    private async Task PutAsync(WindowKey key, DayKey day, WindowRow row, long written, long now, CancellationToken cancellationToken)
    {
        (CqlCommand putDay, CqlCommand put, CqlCommand putMinutes) = Writes(key, day, row, written, now);

        // 1. What is derived, first: a crash behind it is repaired by the replay of the batch, which writes both again.
        await store.Cql.ExecuteAsync(putDay, cancellationToken).ConfigureAwait(false);

        // 2. The row: one mutation, though in two statements, because minutes live for a time of their own.
        await store.Cql.ExecuteAsync(new CqlBatch().Add(put).Add(putMinutes), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a row is written with: its part of the day, the row, and its minutes.</summary>
    internal (CqlCommand Day, CqlCommand Row, CqlCommand Minutes) Writes(WindowKey key, DayKey day, WindowRow row, long written, long now)
    {
        StoreStatements statements = store.Statements;
        int ttl = store.Keeping.RowTtl(day.Day, written, now);
        DateTimeOffset time = DateTimeOffset.FromUnixTimeMilliseconds(written);
        CqlValues ofDay = new CqlValues().Add(row.Stamp).Add(ttl)
            .Add((sbyte)(key.Hour - (day.Day * 24))).Add(CountColumns.Element(row)).Add(row.Stamp).Add(time)
            .Add(key.Series).Add(day.Year).Add(day.Day).Add(key.Chain);
        CqlValues ofRow = new CqlValues().Add(key.Series).Add(day.Day).Add(key.Hour).Add(key.Chain)
            .Add(row.Quarters).Add(row.Upto).Add(row.Stamp).Add(row.SetAside).Add(row.Run ?? "").Add(time);

        // Left alone rather than deleted: what stands there was kept at another finalisation than those to come, and tells nothing of them.
        ofRow = (row.AtFinal is null ? ofRow.Add(CqlUnset.Value) : ofRow.Add(CountsAtFinalCodec.Write(key, row.AtFinal))).Add(row.Stamp).Add(ttl);
        CqlValues ofMinutes = new CqlValues().Add(row.Stamp).Add(store.Keeping.MinutesTtl(key.Hour, written, now))
            .Add(CountColumns.Minutes(row.Minutes)).Add(key.Series).Add(day.Day).Add(key.Hour).Add(key.Chain);
        return (statements.PutDay.BindAll(ofDay), statements.PutWindow.BindAll(ofRow), statements.PutMinutes.BindAll(ofMinutes));
    }
}
