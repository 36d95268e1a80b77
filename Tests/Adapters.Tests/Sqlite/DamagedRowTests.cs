using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using Microsoft.Data.Sqlite;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Sqlite;

/// <summary>Bytes that are no counts, as somebody with another tool may leave them: such a row is set aside, and nobody stands still.</summary>
public class DamagedRowTests
{
    private const int Day = 20_000;
    private static readonly WindowKey s_key = new("ad:1", (Day * 24) + 5, 0);
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Theory]
    [InlineData("quarters", "000501")] // an index, and no count behind the next
    [InlineData("quarters", "0905")] // a place that no quarter has
    [InlineData("minutes", "00ff")]
    [InlineData("minutes", "00ffffffffffffffffff01")] // less than nothing
    public async Task A_damaged_window_is_set_aside_until_it_is_recounted(string column, string bytes)
    {
        await using var store = new StoreFolder();
        var ledger = new WindowLedger(new KeptWindow(store.Windows, s_key));
        WindowAck ack = await ledger.ApplyAsync(Delta(10, 1_000, null, 7, 5));
        Run(store, $"UPDATE clicks_by_hour SET {column} = x'{bytes}'");

        HourRow hour = Assert.Single(await store.Counts.ReadHoursAsync(["ad:1"], s_key.Hour, s_key.Hour + 1, true, s_go));
        Assert.True(hour.SetAside);
        Assert.True(Assert.Single(await store.Ledger.ReadWindowsAsync(s_key.Hour, 0, s_go).ToArrayAsync()).Row.SetAside);
        (_, WindowRow scanned) = Assert.Single(await store.Counts.ScanWindowsAsync(s_go).ToArrayAsync());
        Assert.Equal((true, 0), (scanned.SetAside, scanned.Clicks));

        // Woken up anew the window counts nothing more, and the batch goes on.
        ledger = new WindowLedger(new KeptWindow(store.Windows, s_key));
        Assert.Equal(WindowOutcome.SetAside, (await ledger.ApplyAsync(Delta(20, 2_000, ack.Stamp, 7, 1))).Outcome);
        ack = await ledger.CorrectAsync(new WindowCorrection(20, 10_000, 0, "run 1", [.. Enumerable.Range(0, 60).Select(minute => minute == 7 ? 6L : 0L)], [6, 0, 0, 0]));
        Assert.Equal((WindowOutcome.Applied, 6), (ack.Outcome, ack.HourClicks));
        Assert.Equal((false, 6), (Assert.Single(await store.Counts.ReadHoursAsync(["ad:1"], s_key.Hour, s_key.Hour + 1, true, s_go)) is var whole ? (whole.SetAside, whole.Quarters.Sum()) : default));
    }

    [Fact]
    public async Task A_damaged_day_says_so_and_is_derived_from_its_hours_with_the_next_click()
    {
        await using var store = new StoreFolder();
        await new WindowLedger(new KeptWindow(store.Windows, s_key with { Hour = s_key.Hour + 1 })).ApplyAsync(Delta(10, 1_000, null, 7, 40));
        var ledger = new WindowLedger(new KeptWindow(store.Windows, s_key));
        WindowAck ack = await ledger.ApplyAsync(Delta(10, 1_000, null, 7, 5));
        Run(store, "UPDATE clicks_by_day SET quarters = x'ff'");
        Assert.True(Assert.Single(await store.Counts.ReadDaysAsync(["ad:1"], Day, Day + 1, s_go)).SetAside);
        Assert.Null(Assert.Single(await store.Ledger.ReadWindowsAsync(s_key.Hour, 0, s_go).ToArrayAsync()).DayQuarters);

        Assert.Equal(46, (await ledger.ApplyAsync(Delta(20, 2_000, ack.Stamp, 7, 1))).DayClicks);

        DayRow day = Assert.Single(await store.Counts.ReadDaysAsync(["ad:1"], Day, Day + 1, s_go));
        Assert.Equal((false, 46), (day.SetAside, day.Quarters.Sum()));
    }

    private static void Run(StoreFolder store, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={store.Options.Path}");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.True(command.ExecuteNonQuery() > 0);
    }
}
