using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>What Cassandra really takes away, with retentions of seconds; when the store stops showing it is the contract's matter.</summary>
public class ExpiryTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Hour = 20_000 * 24;
    private const int Day = 20_000;
    private static readonly string[] s_tables = ["clicks_by_hour", "clicks_by_day", "series_by_day", "tops", "hours", "targets"];
    private static readonly WindowKey s_key = new("page:p-1", Hour, 0);
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task Minutes_expire_alone_and_never_come_back_in_part()
    {
        await using StoreInCassandra store = await OpenAsync(new Kept(TimeSpan.FromSeconds(1), null));
        await store.Windows.WriteAsync(s_key, Row(1000, 7, 5));
        await WaitAsync("clicks_by_hour", row => row?.IsNull("minutes") == true);

        var ledger = new WindowLedger(new KeptWindow(store.Windows, s_key));
        WindowAck ack = await ledger.ApplyAsync(new WindowDelta(20, 2000, 0, 1000, new[] { new MinuteCount(33, 2) }));

        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal((WindowOutcome.Applied, 7, 7), (ack.Outcome, ack.HourClicks, ack.DayClicks));
        Assert.Equal([5, 0, 2, 0], read.Quarters);
        Assert.Null(read.Minutes);
        Assert.False(read.SetAside);
        Assert.Equal(7, Assert.Single(await store.Counts.ReadDaysAsync([s_key.Series], Day, Day + 1, s_go)).Quarters.Sum());
    }

    [Fact]
    public async Task With_an_end_every_row_of_every_table_is_gone_one_day()
    {
        await using StoreInCassandra store = await OpenAsync(new Kept(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        await store.Windows.WriteAsync(s_key, Row(1000, 7, 5));
        await store.Batches.WriteAsync(
            new BatchRows(0, 1, 1000, [Hour], [new TopList(new TopKey(TargetKind.Page, TopSlice.Day, Day, 0), [new TopEntry("p-1", 5)], 0)],
                [new PageRow("page:p-1", "https://one/", Hour * 3_600_000L)]),
            s_go);

        foreach (string table in s_tables)
        {
            await WaitAsync(table, row => row is null);
        }
    }

    /// <summary>Each is asked how long it lives: what is derived never longer than what it is derived from, minutes shorter.</summary>
    [Fact]
    public async Task A_window_outlives_its_day_and_everything_that_names_it_lives_as_long()
    {
        await using StoreInCassandra store = await OpenAsync(new Kept(TimeSpan.FromHours(48), TimeSpan.FromDays(30)));
        await store.Windows.WriteAsync(s_key, Row(1000, 7, 5));
        CqlRow hour = (await FirstAsync("SELECT TTL(quarters) AS row, TTL(upto) AS upto, TTL(minutes) AS minutes FROM {0}.clicks_by_hour"))!.Value;
        CqlRow day = (await FirstAsync("SELECT TTL(stamp) AS day FROM {0}.clicks_by_day"))!.Value;

        Assert.InRange(hour.Get<int>("minutes"), 48 * 3600 - 60, 48 * 3600 + 1);
        Assert.InRange(hour.Get<int>("row"), day.Get<int>("day"), 60 * 86_400 + 1);
        Assert.Equal(hour.Get<int>("row"), hour.Get<int>("upto"));
        Assert.InRange(day.Get<int>("day"), 60 * 86_400 - 60, 60 * 86_400 + 1);
    }

    [Fact]
    public async Task Without_an_end_only_minutes_have_one()
    {
        await using StoreInCassandra store = await OpenAsync(Kept.Default);
        await store.Windows.WriteAsync(s_key, Row(1000, 7, 5));

        CqlRow hour = (await FirstAsync("SELECT TTL(quarters) AS row, TTL(minutes) AS minutes FROM {0}.clicks_by_hour"))!.Value;
        Assert.True(hour.IsNull("row"));
        Assert.False(hour.IsNull("minutes"));
        Assert.True((await FirstAsync("SELECT TTL(written) AS day FROM {0}.clicks_by_day"))!.Value.IsNull("day"));
    }

    private async Task<StoreInCassandra> OpenAsync(Kept kept)
    {
        await (await keyspace.OpenAsync(server, expired: true)).DisposeAsync(); // empties the tables
        return await StoreInCassandra.OpenAsync(await keyspace.OptionsAsync(server, kept) with { Slack = TimeSpan.Zero }, TimeProvider.System);
    }

    private async Task<CqlRow?> FirstAsync(string statement)
    {
        CqlDataSource cql = await keyspace.CqlAsync(server);
        string text = statement.Replace("{0}", CqlIdentifier.Parse(keyspace.Name).ToString(), StringComparison.Ordinal);
        return await cql.QueryFirstAsync(new CqlStatement(text).Bind());
    }

    private async Task WaitAsync(string table, Func<CqlRow?, bool> holds)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!holds(await FirstAsync($"SELECT * FROM {{0}}.{table}")))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(30), table);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}
