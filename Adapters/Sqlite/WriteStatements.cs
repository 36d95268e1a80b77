using SQLitePCL;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>The writer's prepared statements.</summary>
internal sealed class WriteStatements(sqlite3 database) : IDisposable
{
    /// <summary>The writer's connection.</summary>
    public sqlite3 Database => database;

    /// <summary>Those of reconciliation.</summary>
    public LedgerStatements Ledger { get; } = new(database);

    public Statement Begin { get; } = new(database, "BEGIN IMMEDIATE");

    public Statement Commit { get; } = new(database, "COMMIT");

    public Statement Rollback { get; } = new(database, "ROLLBACK");

    public Statement PutWindow { get; } = new(database, """
        INSERT INTO clicks_by_hour (series, hour, chain, quarters, minutes, upto, stamp, set_aside, run, at_final)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET quarters = excluded.quarters, minutes = excluded.minutes, upto = excluded.upto,
            stamp = excluded.stamp, set_aside = excluded.set_aside, run = excluded.run, at_final = excluded.at_final
        WHERE excluded.stamp > stamp
        """);

    public Statement GetDay { get; } = new(database, "SELECT quarters, set_aside FROM clicks_by_day WHERE series = ? AND day = ? AND chain = ?");

    public Statement GetHours { get; } = new(database, """
        SELECT hour, quarters FROM clicks_by_hour WHERE series = ? AND hour >= ? AND hour < ? AND chain = ?
        """);

    public Statement IsAside { get; } = new(database, """
        SELECT EXISTS (SELECT 1 FROM clicks_by_hour WHERE series = ? AND hour >= ? AND hour < ? AND chain = ? AND set_aside <> 0)
        """);

    public Statement PutDay { get; } = new(database, """
        INSERT INTO clicks_by_day (series, day, chain, quarters, stamp, set_aside) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET quarters = excluded.quarters, stamp = max(stamp, excluded.stamp), set_aside = excluded.set_aside
        """);

    public Statement PutSeries { get; } = new(database, "INSERT INTO series_by_day (day, series) VALUES (?, ?) ON CONFLICT DO NOTHING");

    public Statement PutHour { get; } = new(database, """
        INSERT INTO hours (hour, chain, upto, stamp) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET upto = excluded.upto, stamp = excluded.stamp WHERE excluded.stamp > stamp
        """);

    public Statement PutTop { get; } = new(database, """
        INSERT INTO tops (kind, slice, start, chain, entries, floor, stamp) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET entries = excluded.entries, floor = excluded.floor, stamp = excluded.stamp WHERE excluded.stamp > stamp
        """);

    public Statement PutTarget { get; } = new(database, "INSERT INTO targets (target, url, first_seen) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");

    public Statement GetState { get; } = new(database, "SELECT etag FROM grain_state WHERE grain = ? AND name = ?");

    public Statement PutState { get; } = new(database, """
        INSERT INTO grain_state (grain, name, payload, etag) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET payload = excluded.payload, etag = excluded.etag
        """);

    public Statement DeleteState { get; } = new(database, "DELETE FROM grain_state WHERE grain = ? AND name = ?");

    public Statement GetFact { get; } = new(database, "SELECT value FROM facts WHERE name = ?");

    // What is forgotten is asked for its stamp again, here in the write: it may have been written since it was chosen.
    public Statement ForgetMinutes { get; } = new(database, """
        UPDATE clicks_by_hour SET minutes = NULL WHERE series = ? AND hour = ? AND chain = ? AND stamp < ? AND minutes IS NOT NULL
        """);

    public Statement DeleteDay { get; } = new(database, "DELETE FROM clicks_by_day WHERE series = ? AND day = ? AND chain = ? AND stamp < ?");

    public Statement DeleteHours { get; } = new(database, "DELETE FROM clicks_by_hour WHERE series = ? AND hour >= ? AND hour < ? AND chain = ?");

    public Statement DeleteSeries { get; } = new(database, """
        DELETE FROM series_by_day WHERE day = ?1 AND series = ?2
            AND NOT EXISTS (SELECT 1 FROM clicks_by_day WHERE series = ?2 AND day = ?1)
        """);

    public Statement DeleteTop { get; } = new(database, """
        DELETE FROM tops WHERE kind = ?1 AND slice = ?2 AND start = ?3 AND chain = ?4 AND stamp < ?5
            AND NOT EXISTS (SELECT 1 FROM series_by_day WHERE day = ?6 AND series >= ?7 AND series < ?8)
        """);

    // The quotient is a floor, for hours of any sign.
    public Statement DeleteHourMarks { get; } = new(database, """
        DELETE FROM hours WHERE hour < ?1 AND stamp < ?2
            AND NOT EXISTS (SELECT 1 FROM series_by_day WHERE day = (hour + 2400000000) / 24 - 100000000)
        """);

    public Statement DeleteTarget { get; } = new(database, """
        DELETE FROM targets WHERE target = ?1
            AND NOT EXISTS (SELECT 1 FROM clicks_by_day WHERE series = ?1)
            AND NOT EXISTS (SELECT 1 FROM clicks_by_day WHERE series >= ?1 || '|' AND series < ?1 || '}')
        """);

    public Statement RaiseFact { get; } = new(database, """
        INSERT INTO facts (name, value) VALUES (?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value WHERE excluded.value > value
        """);

    private Statement[] All =>
    [
        Begin, Commit, Rollback, PutWindow, GetDay, GetHours, IsAside, PutDay, PutSeries, PutHour, PutTop, PutTarget, GetState, PutState,
        DeleteState, GetFact, ForgetMinutes, DeleteDay, DeleteHours, DeleteSeries, DeleteTop, DeleteHourMarks, DeleteTarget, RaiseFact,
        .. Ledger.All,
    ];

    /// <summary>Whatever a write that failed left half-way: it must not stand in the way of the next.</summary>
    public void Reset()
    {
        foreach (Statement statement in All)
        {
            statement.Reset();
        }
    }

    public void Dispose()
    {
        foreach (Statement statement in All)
        {
            statement.Dispose();
        }
    }
}
