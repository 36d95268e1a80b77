using SQLitePCL;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>The writer's prepared statements of reconciliation.</summary>
internal sealed class LedgerStatements(sqlite3 database)
{
    // A later batch of a chain ends behind those before it: whatever says otherwise was altered.
    public Statement LowerOpen { get; } = new(database, "UPDATE open_hours SET upto = ?3 WHERE hour = ?1 AND chain = ?2 AND upto > ?3 AND stamp < ?4");

    // A batch that is replayed behind a finalisation which covers it opens nothing.
    public Statement OpenHour { get; } = new(database, """
        INSERT INTO open_hours (hour, chain, upto, stamp, reopened_at) SELECT ?1, ?2, ?3, ?4, 0
        WHERE NOT EXISTS (SELECT 1 FROM final_hours WHERE hour = ?1 AND chain = ?2 AND upto >= ?3)
        ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto), stamp = max(stamp, excluded.stamp)
        """);

    public Statement ReopenHour { get; } = new(database, """
        INSERT INTO open_hours (hour, chain, upto, stamp, reopened_at)
        SELECT ?1, ?2, coalesce(f.upto, 0), coalesce(h.stamp, 0), coalesce(f.version, ?3)
        FROM (SELECT 1) LEFT JOIN final_hours f ON f.hour = ?1 AND f.chain = ?2 LEFT JOIN hours h ON h.hour = ?1 AND h.chain = ?2
        WHERE true
        ON CONFLICT DO UPDATE SET reopened_at = excluded.reopened_at WHERE excluded.reopened_at > reopened_at
        """);

    public Statement CloseHour { get; } = new(database, "DELETE FROM open_hours WHERE hour = ? AND chain = ? AND upto <= ? AND reopened_at < ?");

    public Statement PutFinal { get; } = new(database, """
        INSERT INTO final_hours (hour, chain, upto, run, invalidations, version, versions, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET upto = excluded.upto, run = excluded.run, invalidations = excluded.invalidations,
            version = excluded.version, versions = excluded.versions, at = excluded.at
        WHERE excluded.version > version
        """);

    public Statement PutCorrection { get; } = new(database, """
        INSERT INTO corrections (hour, chain, series, run, cause, state, before, after, upto, at, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET cause = excluded.cause, state = excluded.state, before = excluded.before, after = excluded.after,
            upto = excluded.upto, at = excluded.at, detail = excluded.detail
        """);

    public Statement PutHistory { get; } = new(database, """
        INSERT INTO history (series, hour, chain, ordinal, minutes, quarters) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """);

    public Statement PutHistoryMark { get; } = new(database, """
        INSERT INTO history_marks (series, hour, chain, ordinal, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """);

    // Once no series is left in a day, nothing is that was noted of its hours; some rows at a time. An hour is noted before its
    // first window is written: so here the time of the last write decides as well.
    public Statement ForgetOpen { get; } = new(database, Forget("open_hours", "hour, chain", "stamp < ?4"));

    public Statement ForgetFinals { get; } = new(database, Forget("final_hours", "hour, chain", "at < ?4 / 1000"));

    public Statement ForgetCorrections { get; } = new(database, Forget("corrections", "hour, chain, series, run", "at < ?4 / 1000"));

    public Statement ForgetHistory { get; } = new(database, Forget("history", "series, hour, chain, ordinal", "?4 > 0"));

    public Statement ForgetHistoryMarks { get; } = new(database, Forget("history_marks", "series, hour, chain, ordinal", "?4 > 0"));

    public Statement[] All =>
    [
        LowerOpen, OpenHour, ReopenHour, CloseHour, PutFinal, PutCorrection, PutHistory, PutHistoryMark,
        ForgetOpen, ForgetFinals, ForgetCorrections, ForgetHistory, ForgetHistoryMarks,
    ];

    private static string Forget(string table, string key, string isOld) => $"""
        DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE hour >= ?1 AND hour < ?1 + 24 AND {isOld} LIMIT ?2)
            AND NOT EXISTS (SELECT 1 FROM series_by_day WHERE day = ?3)
        """;
}
