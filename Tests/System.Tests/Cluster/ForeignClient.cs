using System.Globalization;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>A program that is none of ours, with a connection and a clock of its own, which changes our tables. For ads in 2013.</summary>
/// <param name="cql">Its connection.</param>
/// <param name="keyspace">Where the tables are.</param>
/// <param name="ahead">How far its clock is ahead.</param>
internal sealed class ForeignClient(CqlDataSource cql, string keyspace, TimeSpan ahead)
{
    private readonly CqlIdentifier _keyspace = CqlIdentifier.Parse(keyspace);

    private long Now => (TimeProvider.System.GetUtcNow() + ahead).ToUnixTimeMilliseconds() * 1000;

    /// <summary>Every stored window of some hours.</summary>
    public async Task<List<StoredRow>> ReadAsync(long fromHour, long toHour)
    {
        var rows = new List<StoredRow>();
        await foreach (CqlRow row in cql.QueryAsync(new CqlStatement($"SELECT series, hour, chain, quarters, minutes, upto FROM {_keyspace}.clicks_by_hour").Bind()))
        {
            if (row.Get<int>("hour") >= fromHour && row.Get<int>("hour") < toHour)
            {
                rows.Add(new StoredRow(
                    row.Get<string>("series"), row.Get<int>("hour"), row.Get<int>("chain"), row.Get<long[]>("quarters"),
                    row.Get<Dictionary<sbyte, long>>("minutes"), row.Get<long>("upto")));
            }
        }

        return rows;
    }

    public Task DeleteRowAsync(StoredRow row) => RunAsync($"DELETE FROM {_keyspace}.clicks_by_hour USING TIMESTAMP {Now} WHERE {Window(row)}");

    public Task ChangeRowAsync(StoredRow row) => RunAsync($"UPDATE {_keyspace}.clicks_by_hour USING TIMESTAMP {Now} SET quarters = [9, 9, 9, 9] WHERE {Window(row)}");

    public Task ChangeDayAsync(StoredRow row) =>
        RunAsync($"UPDATE {_keyspace}.clicks_by_day USING TIMESTAMP {Now} SET quarters[{row.Hour % 24}] = [9, 0, 0, 0] WHERE {Day(row)}");

    public Task DeleteDayAsync(StoredRow row) => RunAsync($"DELETE FROM {_keyspace}.clicks_by_day USING TIMESTAMP {Now} WHERE {Day(row)}");

    public Task DeletePartOfDayAsync(StoredRow row) => RunAsync($"DELETE quarters[{row.Hour % 24}] FROM {_keyspace}.clicks_by_day USING TIMESTAMP {Now} WHERE {Day(row)}");

    /// <summary>Writes a window and its part of the day as its owner would, but with other counts.</summary>
    public async Task RewriteAsync(StoredRow row, Func<long, long> counts)
    {
        long now = Now;
        string quarters = string.Join(", ", row.Quarters.Select(counts));
        string minutes = string.Join(", ", row.Minutes.Select(minute => string.Create(CultureInfo.InvariantCulture, $"{minute.Key}: {counts(minute.Value)}")));
        await RunAsync($"UPDATE {_keyspace}.clicks_by_day USING TIMESTAMP {now} SET quarters[{row.Hour % 24}] = [{quarters}], stamp = {now}, written = toTimestamp(now()) WHERE {Day(row)}");
        await RunAsync($$"""
            INSERT INTO {{_keyspace}}.clicks_by_hour (series, day, hour, chain, quarters, minutes, upto, stamp, set_aside, run, written)
            VALUES ('{{row.Series}}', {{row.Hour / 24}}, {{row.Hour}}, {{row.Chain}}, [{{quarters}}], { {{minutes}} }, {{row.Upto}}, {{now}}, false, '', toTimestamp(now()))
            USING TIMESTAMP {{now}}
            """);
    }

    /// <summary>Puts a copy of a row into the partition of another day.</summary>
    public Task PutAstrayAsync(StoredRow row, int day) => RunAsync($$"""
        INSERT INTO {{_keyspace}}.clicks_by_hour (series, day, hour, chain, quarters, minutes, upto, stamp, set_aside, run, written)
        VALUES ('{{row.Series}}', {{day}}, {{row.Hour}}, {{row.Chain}}, [{{string.Join(", ", row.Quarters)}}], {}, {{row.Upto}}, {{Now}}, false, '', toTimestamp(now()))
        USING TIMESTAMP {{Now}}
        """);

    public async Task DeleteNameAsync(StoredRow row)
    {
        for (int bucket = 0; bucket < 16; bucket++)
        {
            await RunAsync($"DELETE FROM {_keyspace}.series_by_day USING TIMESTAMP {Now} WHERE day = {row.Hour / 24} AND kind = 'ad' AND bucket = {bucket} AND series = '{row.Series}'");
        }
    }

    /// <summary>Names an ad in each bucket of the index: whichever is its own is among them.</summary>
    public async Task PutNameAsync(StoredRow row)
    {
        for (int bucket = 0; bucket < 16; bucket++)
        {
            await RunAsync($"INSERT INTO {_keyspace}.series_by_day (day, kind, bucket, series, chain) VALUES ({row.Hour / 24}, 'ad', {bucket}, '{row.Series}', {row.Chain}) USING TIMESTAMP {Now}");
        }
    }

    public Task DeleteTopAsync(string slice, long start, int chain) => RunAsync($"DELETE FROM {_keyspace}.tops USING TIMESTAMP {Now} WHERE {Top(slice, start, chain)}");

    public Task DeleteFloorAsync(string slice, long start, int chain) => RunAsync($"DELETE floor FROM {_keyspace}.tops USING TIMESTAMP {Now} WHERE {Top(slice, start, chain)}");

    public Task InventTopAsync(string slice, long start, int chain) =>
        RunAsync($"UPDATE {_keyspace}.tops USING TIMESTAMP {Now} SET ids = ['nobody-at-all'], clicks = [99], floor = 0 WHERE {Top(slice, start, chain)}");

    private static string Window(StoredRow row) => $"series = '{row.Series}' AND day = {row.Hour / 24} AND hour = {row.Hour} AND chain = {row.Chain}";

    private static string Day(StoredRow row) => $"series = '{row.Series}' AND year = 2013 AND day = {row.Hour / 24} AND chain = {row.Chain}";

    private static string Top(string slice, long start, int chain) => $"kind = 'ad' AND slice = '{slice}' AND start = {start} AND chain = {chain}";

    private Task<CqlPage> RunAsync(string statement) => cql.ExecuteAsync(new CqlStatement(statement).Bind());
}

/// <summary>A row of <c>clicks_by_hour</c>.</summary>
internal sealed record StoredRow(string Series, int Hour, int Chain, long[] Quarters, Dictionary<sbyte, long> Minutes, long Upto);
