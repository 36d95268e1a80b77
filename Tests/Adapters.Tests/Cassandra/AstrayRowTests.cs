using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>Rows that somebody put into a partition whose day is not that of their hour.</summary>
public class AstrayRowTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Day = 20_000;
    private const int Hour = (Day * 24) + 3;
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task They_are_in_no_answer_and_are_found_and_taken_away_also_by_a_clock_that_was_ahead()
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        var key = new WindowKey("ad:1", Hour, 2);
        await store.Windows.WriteAsync(key, Row(10, 20, 7, upto: 5));
        await store.Windows.WriteAsync(key with { Hour = Hour + 48 }, Row(10, 20, 4, upto: 6));
        CqlDataSource cql = await keyspace.CqlAsync(server);
        CqlIdentifier name = CqlIdentifier.Parse(keyspace.Name);
        long ahead = (TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + (long)TimeSpan.FromDays(3).TotalMilliseconds) * 1000;
        var put = new CqlStatement($"INSERT INTO {name}.clicks_by_hour (series, day, hour, chain, quarters, upto, stamp, set_aside, run, written) VALUES (?, ?, ?, ?, [9, 0, 0, 0], 5, ?, false, '', toTimestamp(now())) USING TIMESTAMP ?");
        await cql.ExecuteAsync(put.Bind("ad:1", Day + 2, Hour, 2, ahead, ahead), s_go);
        await cql.ExecuteAsync(put.Bind("ad:nobody", Day + 1, Hour, 2, ahead, ahead), s_go);
        var year = new CqlStatement($"UPDATE {name}.clicks_by_day USING TIMESTAMP ? SET quarters[3] = [9, 0, 0, 0], stamp = 1, written = toTimestamp(now()) WHERE series = 'ad:1' AND year = 2025 AND day = ? AND chain = 2");
        await cql.ExecuteAsync(year.Bind(ahead, Day), s_go);

        foreach (int to in (int[])[Hour + 1, Hour + 49, Hour + 480])
        {
            IReadOnlyList<HourRow> hours = await store.Counts.ReadHoursAsync(["ad:1", "ad:nobody"], Hour, to, true, s_go);
            Assert.Equal(to == Hour + 1 ? 7 : 11, hours.Sum(row => row.Quarters.Sum()));
        }

        Assert.Equal(11, (await store.Counts.ReadDaysAsync(["ad:1"], Day, Day + 800, s_go)).Sum(row => row.Quarters.Sum()));
        Assert.Equal([("ad:1", 9L), ("ad:nobody", 9L)], (await store.Counts.ScanWindowsAsync(s_go).Where(pair => pair.Row.IsAstray).ToArrayAsync())
            .Select(pair => (pair.Key.Series, pair.Row.Clicks)).OrderBy(pair => pair.Series, StringComparer.Ordinal));

        StrayWindow[] strays = [new(key, Day + 2), new(key with { Series = "ad:nobody" }, Day + 1)];
        Assert.Equal(strays, (await FoundAsync(store)).OrderBy(one => one.Key.Series, StringComparer.Ordinal));
        Assert.False(await store.Ledger.RemoveAstrayAsync(key, Day, s_go));
        foreach (StrayWindow stray in strays)
        {
            Assert.True(await store.Ledger.RemoveAstrayAsync(stray.Key, stray.AstrayIn!.Value, s_go));
            Assert.True(await store.Ledger.RemoveAstrayAsync(stray.Key, stray.AstrayIn!.Value, s_go));
        }

        Assert.Empty(await FoundAsync(store));
        Assert.Equal(2, await store.Counts.ScanWindowsAsync(s_go).CountAsync());
        Assert.Equal(7, Assert.Single(await store.Ledger.ReadWindowsAsync(Hour, 2, s_go).ToArrayAsync()).Row.Clicks);
    }

    private static async Task<HashSet<StrayWindow>> FoundAsync(StoreInCassandra store)
    {
        var found = new HashSet<StrayWindow>();
        for (int part = 0; part < store.Ledger.UnnamedParts; part++)
        {
            found.UnionWith(await store.Ledger.FindUnnamedAsync(part, s_go).ToArrayAsync());
        }

        return found;
    }
}
