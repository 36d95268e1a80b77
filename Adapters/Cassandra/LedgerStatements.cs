using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Every statement of hours and of reconciliation.</summary>
internal sealed class LedgerStatements(CqlIdentifier keyspace)
{
    private const int Page = 100;
    private const int LargePage = 1_000;

    public CqlStatement PutHour { get; } = StoreStatements.Of($"""
        INSERT INTO {keyspace}.hours (day, hour, chain, upto, stamp) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement PutHourCorrected { get; } = StoreStatements.Of($"""
        UPDATE {keyspace}.hours USING TIMESTAMP ? AND TTL ? SET corrected = ? WHERE day = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement ReadHours { get; } = StoreStatements.Of($"""
        SELECT hour, chain, upto, stamp FROM {keyspace}.hours WHERE day = ? AND hour >= ? AND hour < ?
        """, LargePage);

    // Updates, so that a row is gone with its last cell: what batches note and what is opened again go apart.
    public CqlStatement PutOpen { get; } = StoreStatements.Of($"""
        UPDATE {keyspace}.open_hours USING TIMESTAMP ? AND TTL ? SET upto = ?, stamp = ? WHERE span = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement PutReopened { get; } = StoreStatements.Of($"""
        UPDATE {keyspace}.open_hours USING TIMESTAMP ? AND TTL ? SET reopened_at = ? WHERE span = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement DeleteOpen { get; } = StoreStatements.Of($"""
        DELETE upto, stamp FROM {keyspace}.open_hours USING TIMESTAMP ? WHERE span = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement DeleteReopened { get; } = StoreStatements.Of($"""
        DELETE reopened_at FROM {keyspace}.open_hours USING TIMESTAMP ? WHERE span = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement GetOpen { get; } = StoreStatements.Of($"""
        SELECT upto, WRITETIME(upto) AS at0 FROM {keyspace}.open_hours WHERE span = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement ReadOpen { get; } = StoreStatements.Of($"""
        SELECT hour, chain, upto, stamp, reopened_at FROM {keyspace}.open_hours WHERE span = ? AND hour >= ? AND hour < ?
        """, LargePage);

    public CqlStatement PutFinal { get; } = StoreStatements.Of($"""
        INSERT INTO {keyspace}.final_hours (day, hour, chain, upto, run, invalidations, versions, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement ReadFinals { get; } = StoreStatements.Of($"""
        SELECT hour, chain, upto, run, invalidations, versions, at FROM {keyspace}.final_hours WHERE day = ? AND hour >= ? AND hour < ?
        """, LargePage);

    public CqlStatement GetFinal { get; } = StoreStatements.Of($"""
        SELECT versions, WRITETIME(versions) AS at0 FROM {keyspace}.final_hours WHERE day = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement PutCorrected { get; } = StoreStatements.Of($"""
        INSERT INTO {keyspace}.corrected_hours (day, hour, chain) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement ReadCorrected { get; } = StoreStatements.Of($"""
        SELECT chain FROM {keyspace}.corrected_hours WHERE day = ? AND hour = ? AND chain >= ?
        """);

    public CqlStatement PutCorrectionOfHour { get; } = StoreStatements.Of($"""
        INSERT INTO {keyspace}.corrections_by_hour (cause, state, before, after, upto, at, detail, series, run, hour, chain, bucket) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement PutCorrectionOfSeries { get; } = StoreStatements.Of($"""
        INSERT INTO {keyspace}.corrections_by_series (cause, state, before, after, upto, at, detail, series, run, hour, chain, span) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement ReadCorrectionsOfHour { get; } = StoreStatements.Of($"""
        SELECT cause, state, before, after, upto, at, detail, series, run, hour, chain, WRITETIME(state) AS at0 FROM {keyspace}.corrections_by_hour
        WHERE hour = ? AND chain = ? AND bucket = ? AND (series, run) > (?, ?)
        """, Page);

    public CqlStatement ReadCorrectionsOfSeries { get; } = StoreStatements.Of($"""
        SELECT cause, state, before, after, upto, at, detail, series, run, hour, chain, WRITETIME(state) AS at0 FROM {keyspace}.corrections_by_series
        WHERE series = ? AND span = ? AND (hour, chain, run) > (?, ?, ?) AND (hour) < (?)
        """, Page);

    public CqlStatement PutHistory { get; } = StoreStatements.Of($"""
        INSERT INTO {keyspace}.history (series, span, hour, chain, ordinal, quarters, minutes) VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement ReadHistory { get; } = StoreStatements.Of($"""
        SELECT hour, chain, ordinal, quarters, minutes FROM {keyspace}.history WHERE series = ? AND span = ? AND hour >= ? AND hour < ?
        """, Page);

    public CqlStatement PutHistoryMark { get; } = StoreStatements.Of($"""
        INSERT INTO {keyspace}.history_marks (series, span, hour, chain, ordinal, sum) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement ReadHistoryMarks { get; } = StoreStatements.Of($"""
        SELECT hour, chain, ordinal, sum FROM {keyspace}.history_marks WHERE series = ? AND span = ? AND hour >= ? AND hour < ?
        """, Page);

    public CqlStatement ScanHistoryMarks { get; } = StoreStatements.Of($"""
        SELECT series, hour, chain, ordinal, sum FROM {keyspace}.history_marks
        """, LargePage);

    // One partition is walked for it, and only what fits is sent.
    public CqlStatement ListSeriesOfChain { get; } = StoreStatements.Of($"""
        SELECT series FROM {keyspace}.series_by_day WHERE day = ? AND kind = ? AND bucket = ? AND chain = ? ALLOW FILTERING
        """, Page);

    // Without counts: it asks only which windows there are.
    public CqlStatement ScanWindowKeys { get; } = StoreStatements.Of($"""
        SELECT series, day, hour, chain FROM {keyspace}.clicks_by_hour WHERE token(series, day) > ? AND token(series, day) <= ?
        """);

    public CqlStatement ReadNames { get; } = StoreStatements.Of($"""
        SELECT series, chain FROM {keyspace}.series_by_day WHERE day = ? AND kind = ? AND bucket = ? AND series IN ?
        """, LargePage);
}
