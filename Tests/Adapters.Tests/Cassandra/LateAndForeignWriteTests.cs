using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>Writes that arrive late, whole or in part, and writes of others: what the chain wrote last stands, or is known not to.</summary>
public class LateAndForeignWriteTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Hour = 500_000;
    private const int Day = Hour / 24;
    private static readonly WindowKey s_key = new("ad:42", Hour + 3, 2);
    private static readonly int s_hourOfDay = s_key.Hour - (Day * 24);
    private static readonly DayKey s_day = new("ad:42", Day, 2);
    private static readonly CancellationToken s_go = CancellationToken.None;

    private CqlIdentifier Keyspace => CqlIdentifier.Parse(keyspace.Name);

    /// <summary>The older row has everything, the newer one has less of all of it: minutes, quarters, a run, the mark.</summary>
    [Theory]
    [InlineData("day")]
    [InlineData("row")]
    [InlineData("minutes")]
    [InlineData("row without minutes")]
    [InlineData("day, row")]
    public async Task Of_an_older_write_that_arrives_late_whole_or_in_part_nothing_stays(string parts)
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        await store.Windows.WriteAsync(s_key with { Hour = Hour }, Row(5, 0, 100));
        var newer = new WindowRow { Minutes = null, Quarters = [0, 3, 0, 0], Upto = 3, Stamp = 20 };
        await store.Windows.WriteAsync(s_key, newer);

        await PutAsync(store, parts, Older());

        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal([0, 3, 0, 0], read.Quarters);
        Assert.Null(read.Minutes);
        Assert.Equal((3, 20, false, null, 103), (read.Upto, read.Stamp, read.SetAside, read.Run, read.DayClicks));
        HourRow hour = Assert.Single(await store.Counts.ReadHoursAsync(["ad:42"], s_key.Hour, s_key.Hour + 1, true, s_go));
        Assert.Equal((3, null, false), (hour.Quarters.Sum(), hour.Minutes, hour.SetAside));
        DayRow day = Assert.Single(await store.Counts.ReadDaysAsync(["ad:42"], Day, Day + 1, s_go));
        Assert.Equal((103, false), (day.Quarters.Sum(), day.SetAside));
    }

    [Theory]
    [InlineData("day")]
    [InlineData("minutes")]
    [InlineData("day, row")]
    public async Task An_older_write_that_arrives_first_in_part_is_written_over_as_a_whole(string parts)
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        await PutAsync(store, parts, Older());

        await store.Windows.WriteAsync(s_key, Row(20, 20, 4, upto: 5));

        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal((4, 4, 20, 5, false, null, 4), (read.Clicks, read.Minutes!.Sum(), read.Stamp, read.Upto, read.SetAside, read.Run, read.DayClicks));
        Assert.False(Assert.Single(await store.Counts.ReadDaysAsync(["ad:42"], Day, Day + 1, s_go)).SetAside);
    }

    /// <summary>A write of a dead owner, through a store of its own, while the window lives on.</summary>
    [Fact]
    public async Task A_dead_owners_writes_change_nothing_at_all()
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        await using StoreInCassandra dead = await StoreInCassandra.OpenAsync(await keyspace.OptionsAsync(server));
        var ledger = new WindowLedger(new KeptWindow(store.Windows, s_key));
        WindowAck ack = default;
        for (int batch = 1; batch <= 20; batch++)
        {
            ack = await ledger.ApplyAsync(Delta(batch * 10, batch * 1000, batch == 1 ? null : ack.Stamp, 7, 1));
            Assert.Equal((WindowOutcome.Applied, batch, batch), (ack.Outcome, ack.HourClicks, ack.DayClicks));
            await dead.Store.Windows.WriteAsync(s_key, Row((batch * 1000) - 1, 30, 77, upto: 1_000_000), known: 0, s_go);
        }

        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal((20, 20, 200, 20), (read.Clicks, read.Minutes![7], read.Upto, read.DayClicks));
    }

    [Theory]
    [InlineData("DELETE FROM {0}.clicks_by_hour WHERE series = 'ad:42' AND day = {1}")]
    [InlineData("DELETE minutes FROM {0}.clicks_by_hour WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2")]
    [InlineData("DELETE quarters[{3}] FROM {0}.clicks_by_day WHERE series = 'ad:42' AND year = 2027 AND day = {1} AND chain = 2")]
    [InlineData("UPDATE {0}.clicks_by_hour SET quarters = [9, 9, 9, 9], upto = 5 WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2")]
    public async Task What_others_did_to_a_window_in_memory_is_gone_with_its_next_write(string foreign)
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        var ledger = new WindowLedger(new KeptWindow(store.Windows, s_key));
        long now = Now();
        WindowAck ack = await ledger.ApplyAsync(Delta(10, now, null, 7, 5));

        await ForeignAsync(foreign);
        ack = await ledger.ApplyAsync(Delta(20, Now() + 1_000_000, ack.Stamp, 7, 2));

        Assert.Equal((WindowOutcome.Applied, 7, 7), (ack.Outcome, ack.HourClicks, ack.DayClicks));
        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal((7, 7, false, 20, 7), (read.Clicks, read.Minutes?.Sum(), read.SetAside, read.Upto, read.DayClicks));
    }

    [Theory]
    [InlineData("UPDATE {0}.clicks_by_hour SET quarters = [9, 9, 9, 9] WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2")]
    [InlineData("UPDATE {0}.clicks_by_hour SET upto = 0 WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2")]
    [InlineData("UPDATE {0}.clicks_by_hour SET minutes = {{7: 5}} WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2")]
    [InlineData("DELETE quarters FROM {0}.clicks_by_hour WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2")]
    [InlineData("DELETE stamp FROM {0}.clicks_by_hour WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2")]
    [InlineData("DELETE FROM {0}.clicks_by_hour WHERE series = 'ad:42' AND day = {1}")]
    public async Task What_others_wrote_is_set_aside_when_it_is_read_and_stays_so_until_a_correction_above_it(string foreign)
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        long now = Now();
        var window = new KeptWindow(store.Windows, s_key);
        WindowAck ack = await new WindowLedger(window).ApplyAsync(Delta(10, now, null, 7, 5));
        await ForeignAsync(foreign);

        // Woken anew: it reads its row, and the chain knows which stamp has to be there.
        ack = await new WindowLedger(window).ApplyAsync(Delta(20, now + 1000, ack.Stamp, 7, 2));
        Assert.Equal(WindowOutcome.SetAside, ack.Outcome);

        // Below what the foreigner wrote nothing has an effect, and nothing is said to have had one.
        var correction = new WindowCorrection(20, now + 2000, 0, "run 1", null, [7, 0, 0, 0]);
        Assert.Equal(WindowOutcome.Refused, (await new WindowLedger(window).CorrectAsync(correction)).Outcome);

        ack = await new WindowLedger(window).CorrectAsync(correction with { Stamp = Now() + 60_000_000 });
        Assert.Equal((WindowOutcome.Applied, 7, 7), (ack.Outcome, ack.HourClicks, ack.DayClicks));
        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal((7, false, "run 1", 7), (read.Clicks, read.SetAside, read.Run, read.DayClicks));
    }

    [Theory]
    [InlineData("UPDATE {0}.clicks_by_day USING TIMESTAMP {4} SET quarters[{3}] = [9, 9, 9, 9] WHERE series = 'ad:42' AND year = 2027 AND day = {1} AND chain = 2")]
    [InlineData("DELETE quarters[{3}] FROM {0}.clicks_by_day USING TIMESTAMP {4} WHERE series = 'ad:42' AND year = 2027 AND day = {1} AND chain = 2")]
    [InlineData("DELETE FROM {0}.clicks_by_day USING TIMESTAMP {4} WHERE series = 'ad:42' AND year = 2027 AND day = {1}")]
    [InlineData("DELETE FROM {0}.series_by_day USING TIMESTAMP {4} WHERE day = {1} AND kind = 'ad' AND bucket = {5}")]
    public async Task What_others_did_under_a_clock_ahead_to_what_is_derived_of_a_window_refuses_corrections_below_it(string foreign)
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        long now = Now(), ahead = now + 3_600_000_000;
        var window = new KeptWindow(store.Windows, s_key);
        await new WindowLedger(window).ApplyAsync(Delta(10, now, null, 7, 5));
        await ForeignAsync(foreign, ahead);

        var correction = new WindowCorrection(10, now + 1000, 0, "run 1", null, [5, 0, 0, 0]);
        Assert.Equal(WindowOutcome.Refused, (await new WindowLedger(window).CorrectAsync(correction)).Outcome);
        Assert.Equal(WindowOutcome.Refused, (await new WindowLedger(window).CorrectAsync(correction with { Stamp = ahead })).Outcome);

        WindowAck ack = await new WindowLedger(window).CorrectAsync(correction with { Stamp = ahead + 1 });
        Assert.Equal((WindowOutcome.Applied, 5, 5), (ack.Outcome, ack.HourClicks, ack.DayClicks));
        Assert.Equal(5, Assert.Single(await store.Counts.ReadDaysAsync(["ad:42"], Day, Day + 1, s_go)).Quarters.Sum());
        Assert.Equal(["ad:42"], await store.Counts.ListSeriesAsync("ad:", Day * 24, (Day + 1) * 24, null, 10, s_go));

        // And so it stays with the next click.
        ack = await new WindowLedger(window).ApplyAsync(Delta(20, ahead + 1000, ack.Stamp, 7, 2));
        Assert.Equal((WindowOutcome.Applied, 7, 7), (ack.Outcome, ack.HourClicks, ack.DayClicks));
        Assert.Equal(7, Assert.Single(await store.Counts.ReadDaysAsync(["ad:42"], Day, Day + 1, s_go)).Quarters.Sum());
    }

    [Fact]
    public async Task A_window_whose_name_was_deleted_is_found_by_its_key_and_named_again_with_a_correction()
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        long now = Now();
        var window = new KeptWindow(store.Windows, s_key);
        await new WindowLedger(window).ApplyAsync(Delta(10, now, null, 7, 5));
        await ForeignAsync("DELETE FROM {0}.series_by_day WHERE day = {1} AND kind = 'ad' AND bucket = {5}");
        Assert.Empty(await store.Ledger.ReadWindowsAsync(s_key.Hour, 2, s_go).ToArrayAsync());

        StoredWindow found = Assert.Single(await store.Ledger.FindWindowsAsync(["ad:42", "ad:43"], s_key.Hour, 2, s_go));
        Assert.Equal((s_key, 5, 5), (found.Key, found.Row.Clicks, found.DayQuarters!.Sum()));

        await new WindowLedger(window).CorrectAsync(new WindowCorrection(10, Now() + 60_000_000, 0, "run 1", null, [5, 0, 0, 0]));
        Assert.Equal(s_key, Assert.Single(await store.Ledger.ReadWindowsAsync(s_key.Hour, 2, s_go).ToArrayAsync()).Key);
    }

    [Theory]
    [InlineData("quarters[{3}] = [9]")]
    [InlineData("quarters[{3}] = [9, 9, 9]")]
    [InlineData("quarters = quarters + {{24: [9, 9, 9, 9], -1: [9], {3}: [9, 9]}}")]
    public async Task A_part_of_a_day_with_fewer_counts_than_quarters_is_set_aside_until_its_window_is_corrected(string foreign)
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        await store.Windows.WriteAsync(s_key with { Hour = Hour }, Row(5, 0, 100));
        var window = new KeptWindow(store.Windows, s_key);
        await new WindowLedger(window).ApplyAsync(Delta(10, Now(), null, 7, 5));
        await ForeignAsync($"UPDATE {{0}}.clicks_by_day SET {foreign} WHERE series = 'ad:42' AND year = 2027 AND day = {{1}} AND chain = 2");

        DayRow day = Assert.Single(await store.Counts.ReadDaysAsync(["ad:42"], Day, Day + 1, s_go));
        Assert.Equal((true, 100), (day.SetAside, day.Quarters.Sum()));
        Assert.Equal(day.Quarters, Assert.Single(await store.Counts.ScanDaysAsync(s_go).ToArrayAsync(s_go)).Quarters);
        StoredWindow found = Assert.Single(await store.Ledger.ReadWindowsAsync(s_key.Hour, 2, s_go).ToArrayAsync(s_go));
        Assert.Equal((5, 0), (found.Row.Clicks, found.DayQuarters!.Sum()));

        WindowAck ack = await new WindowLedger(window).CorrectAsync(new WindowCorrection(10, Now() + 60_000_000, 0, "run 1", null, [5, 0, 0, 0]));
        Assert.Equal((WindowOutcome.Applied, 105), (ack.Outcome, ack.DayClicks));
        day = Assert.Single(await store.Counts.ReadDaysAsync(["ad:42"], Day, Day + 1, s_go));
        Assert.Equal((false, 105), (day.SetAside, day.Quarters.Sum()));
    }

    [Fact]
    public async Task Minutes_that_no_hour_has_count_nowhere_and_keep_nobody_from_reading_the_others()
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        var window = new KeptWindow(store.Windows, s_key);
        await new WindowLedger(window).ApplyAsync(Delta(10, Now(), null, 7, 5));
        await ForeignAsync("UPDATE {0}.clicks_by_hour SET minutes = {{7: 5, -1: 5, 60: 7, 99: 1, -128: 9}} WHERE series = 'ad:42' AND day = {1} AND hour = {2} AND chain = 2");

        foreach (long[]? minutes in (long[]?[])
            [
                (await store.Windows.ReadAsync(s_key)).Minutes,
                Assert.Single(await store.Counts.ReadHoursAsync(["ad:42"], s_key.Hour, s_key.Hour + 1, true, s_go)).Minutes,
                Assert.Single(await store.Ledger.ReadWindowsAsync(s_key.Hour, 2, s_go).ToArrayAsync(s_go)).Row.Minutes,
            ])
        {
            Assert.Equal((5, 5), (minutes![7], minutes.Sum()));
        }
    }

    [Theory]
    [InlineData("floor")]
    [InlineData("clicks")]
    [InlineData("stamp")]
    public async Task A_top_list_that_lacks_a_part_is_none_until_it_is_written_again(string part)
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        var list = new TopList(new TopKey(TargetKind.Ad, TopSlice.Day, Day, 2), [new TopEntry("42", 5)], 3);
        await store.Batches.WriteAsync(new BatchRows(2, 10, Now(), [], [list], []), s_go);
        Assert.NotNull(await store.Batches.ReadTopAsync(list.Key, s_go));
        Assert.Single(await store.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Day, Day, Day + 1, s_go));
        await ForeignAsync($"DELETE {part} FROM {{0}}.tops WHERE kind = 'ad' AND slice = 'day' AND start = {{1}} AND chain = 2");

        Assert.Null(await store.Batches.ReadTopAsync(list.Key, s_go));
        await using (StoreInCassandra other = await StoreInCassandra.OpenAsync(await keyspace.OptionsAsync(server)))
        {
            Assert.Empty(await other.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Day, Day, Day + 1, s_go));
        }

        await store.Batches.WriteAsync(new BatchRows(2, 10, Now() + 60_000_000, [], [list], []), s_go);
        Assert.Equal(list.Entries, (await store.Batches.ReadTopAsync(list.Key, s_go))!.Entries);
        Assert.Single(await store.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Day, Day, Day + 1, s_go));
    }

    private static WindowRow Older() => new()
    {
        Minutes = [.. Enumerable.Repeat(9L, 60)],
        Quarters = [135, 135, 135, 135],
        Upto = 99,
        Stamp = 19,
        SetAside = true,
        Run = "older",
    };

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1000;

    /// <summary>By another client, under the clock of the server.</summary>
    private async Task ForeignAsync(string statement, long time = 0)
    {
        CqlDataSource cql = await keyspace.CqlAsync(server);
#pragma warning disable CA1863 // once
        string text = string.Format(System.Globalization.CultureInfo.InvariantCulture, statement, Keyspace, Day, s_key.Hour, s_hourOfDay, time, SeriesIndex.BucketOf("ad:42"));
#pragma warning restore CA1863
        await cql.ExecuteAsync(new CqlStatement(text).Bind());
    }

    private async Task PutAsync(StoreInCassandra store, string parts, WindowRow row)
    {
        CqlDataSource cql = await keyspace.CqlAsync(server);
        (CqlCommand day, CqlCommand window, CqlCommand minutes) = store.Store.Windows.Writes(s_key, s_day, row, row.Stamp / 1000, store.Store.Keeping.Now());
        CqlCommand[] commands = parts switch
        {
            "day" => [day],
            "row" => [window, minutes],
            "minutes" => [minutes],
            "row without minutes" => [window],
            _ => [day, window, minutes],
        };
        foreach (CqlCommand command in commands)
        {
            await cql.ExecuteAsync(command);
        }
    }
}
