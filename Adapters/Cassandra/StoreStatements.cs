using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// Every statement of the store. All writes are absolute, under a timestamp of ours, so they may be sent twice; all reads and
/// writes are of a quorum of the local data centre.
/// </summary>
internal sealed class StoreStatements(CqlIdentifier keyspace)
{
    private const int SmallPage = 16;
    private const int Page = 100;

    /// <summary>Those of hours and of reconciliation.</summary>
    public LedgerStatements Ledger { get; } = new(keyspace);

    public CqlStatement PutWindow { get; } = Of($"""
        INSERT INTO {keyspace}.clicks_by_hour (series, day, hour, chain, quarters, upto, stamp, set_aside, run, written, at_final)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement PutMinutes { get; } = Of($"""
        UPDATE {keyspace}.clicks_by_hour USING TIMESTAMP ? AND TTL ? SET minutes = ? WHERE series = ? AND day = ? AND hour = ? AND chain = ?
        """);

    // With the time of each cell: nothing but its chain writes a window, and what else did is seen by it.
    public CqlStatement GetWindow { get; } = Of($"""
        SELECT quarters, minutes, upto, stamp, set_aside, run, written, at_final, WRITETIME(quarters) AS at0, WRITETIME(minutes) AS at1,
            WRITETIME(upto) AS at2, WRITETIME(stamp) AS at3, WRITETIME(set_aside) AS at4, WRITETIME(run) AS at5, WRITETIME(written) AS at6
        FROM {keyspace}.clicks_by_hour WHERE series = ? AND day = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement DeleteWindow { get; } = Of($"""
        DELETE FROM {keyspace}.clicks_by_hour USING TIMESTAMP ? WHERE series = ? AND day = ? AND hour = ? AND chain = ?
        """);

    public CqlStatement PutDay { get; } = Of($"""
        UPDATE {keyspace}.clicks_by_day USING TIMESTAMP ? AND TTL ? SET quarters[?] = ?, stamp = ?, written = ?
        WHERE series = ? AND year = ? AND day = ? AND chain = ?
        """);

    public CqlStatement GetDay { get; } = Of($"""
        SELECT quarters, stamp, written FROM {keyspace}.clicks_by_day WHERE series = ? AND year = ? AND day = ? AND chain = ?
        """);

    public CqlStatement DeleteDay { get; } = Of($"""
        DELETE quarters FROM {keyspace}.clicks_by_day USING TIMESTAMP ? WHERE series = ? AND year = ? AND day = ? AND chain = ?
        """);

    public CqlStatement ReadHours { get; } = Of($"""
        SELECT hour, chain, quarters, set_aside, written FROM {keyspace}.clicks_by_hour
        WHERE series = ? AND day = ? AND hour >= ? AND hour < ?
        """);

    public CqlStatement ReadHoursWithMinutes { get; } = Of($"""
        SELECT hour, chain, quarters, set_aside, written, minutes FROM {keyspace}.clicks_by_hour
        WHERE series = ? AND day = ? AND hour >= ? AND hour < ?
        """);

    // Of some series: a request for each would cost more than what is read.
    public CqlStatement ReadHoursOfSeries { get; } = Of($"""
        SELECT series, hour, chain, quarters, set_aside, written, minutes FROM {keyspace}.clicks_by_hour
        WHERE series IN ? AND day = ? AND hour >= ? AND hour < ?
        """);

    public CqlStatement ReadStanding { get; } = Of($"""
        SELECT series, hour, chain, quarters, set_aside, written, minutes, upto, run, at_final FROM {keyspace}.clicks_by_hour
        WHERE series IN ? AND day = ? AND hour >= ? AND hour < ?
        """);

    public CqlStatement ReadDays { get; } = Of($"""
        SELECT day, chain, quarters, written FROM {keyspace}.clicks_by_day WHERE series = ? AND year = ? AND day >= ? AND day < ?
        """);

    public CqlStatement ReadDaysOfSeries { get; } = Of($"""
        SELECT series, day, chain, quarters, written FROM {keyspace}.clicks_by_day WHERE series IN ? AND year = ? AND day >= ? AND day < ?
        """);

    public CqlStatement ReadWritten { get; } = Of($"""
        SELECT day, chain, written FROM {keyspace}.clicks_by_day WHERE series = ? AND year = ? AND day >= ? AND day < ?
        """);

    public CqlStatement ScanWindows { get; } = Of($"""
        SELECT series, day, hour, chain, quarters, minutes, upto, stamp, set_aside, run, written FROM {keyspace}.clicks_by_hour
        WHERE token(series, day) > ? AND token(series, day) <= ?
        """);

    public CqlStatement ScanDays { get; } = Of($"""
        SELECT series, day, chain, quarters, written FROM {keyspace}.clicks_by_day WHERE token(series, year) > ? AND token(series, year) <= ?
        """);

    public CqlStatement ScanTops { get; } = Of($"""
        SELECT kind, slice, start, chain, ids, clicks, floor, stamp, written FROM {keyspace}.tops
        WHERE token(kind, slice, start) > ? AND token(kind, slice, start) <= ?
        """, SmallPage);

    public CqlStatement PutSeries { get; } = Of($"""
        INSERT INTO {keyspace}.series_by_day (day, kind, bucket, series, chain) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement GetSeries { get; } = Of($"""
        SELECT series FROM {keyspace}.series_by_day WHERE day = ? AND kind = ? AND bucket = ? AND series = ? AND chain = ?
        """);

    public CqlStatement ListSeries { get; } = Of($"""
        SELECT series FROM {keyspace}.series_by_day WHERE day = ? AND kind = ? AND bucket = ? AND series >= ?
        """, Page);

    public CqlStatement ListFewSeries { get; } = Of($"""
        SELECT series FROM {keyspace}.series_by_day WHERE day = ? AND kind = ? AND bucket = ? AND series >= ?
        """, SmallPage);

    public CqlStatement PutTop { get; } = Of($"""
        INSERT INTO {keyspace}.tops (kind, slice, start, chain, ids, clicks, floor, stamp, written)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement GetTopStamp { get; } = Of($"SELECT stamp FROM {keyspace}.tops WHERE kind = ? AND slice = ? AND start = ? AND chain = ?");

    public CqlStatement ReadTops { get; } = Of($"""
        SELECT chain, ids, clicks, floor, stamp, written FROM {keyspace}.tops WHERE kind = ? AND slice = ? AND start = ?
        """, SmallPage);

    public CqlStatement ReadTopStamps { get; } = Of($"""
        SELECT start, chain, stamp FROM {keyspace}.tops WHERE kind = ? AND slice = ? AND start IN ?
        """);

    public CqlStatement GetTop { get; } = Of($"""
        SELECT chain, ids, clicks, floor, stamp, written FROM {keyspace}.tops WHERE kind = ? AND slice = ? AND start = ? AND chain = ?
        """);

    public CqlStatement ReadMarks { get; } = Of($"""
        SELECT sum(stamp) AS stamps, sum(corrected) AS corrections, count(*) AS hours FROM {keyspace}.hours WHERE day = ?
        """);

    public CqlStatement ReadLateDays { get; } = Of($"""
        SELECT day, sum(stamp) AS stamps, sum(corrected) AS corrections, count(*) AS chains FROM {keyspace}.late_days
        WHERE span = ? AND day >= ? AND day < ? GROUP BY day
        """);

    public CqlStatement PutLateDay { get; } = Of($"""
        UPDATE {keyspace}.late_days USING TIMESTAMP ? AND TTL ? SET stamp = ? WHERE span = ? AND day = ? AND chain = ?
        """);

    public CqlStatement PutLateDayCorrected { get; } = Of($"""
        UPDATE {keyspace}.late_days USING TIMESTAMP ? AND TTL ? SET corrected = ? WHERE span = ? AND day = ? AND chain = ?
        """);

    public CqlStatement PutTarget { get; } = Of($"""
        INSERT INTO {keyspace}.targets (target, url, first_seen) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?
        """);

    public CqlStatement PutTargetDay { get; } = Of($"""
        UPDATE {keyspace}.targets USING TIMESTAMP ? AND TTL ? SET days = days + ? WHERE target = ?
        """);

    public CqlStatement GetTarget { get; } = Of($"SELECT url, first_seen, days FROM {keyspace}.targets WHERE target = ?");

    public CqlStatement PutFact { get; } = Of($"INSERT INTO {keyspace}.facts (name, value) VALUES (?, ?) USING TIMESTAMP ?");

    public CqlStatement GetFact { get; } = Of($"SELECT value FROM {keyspace}.facts WHERE name = ?");

    internal static CqlStatement Of(CqlText text, int? pageSize = null) =>
        new(text, idempotent: true) { Consistency = CqlConsistency.LocalQuorum, PageSize = pageSize };
}
