using ClickAggregator.Clicks;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>
/// What forgetting promises: it goes by the last write and never before a day has ended, and whatever is left is whole.
/// The windows are the real ones: what they hold in memory while their rows go must lose and double nothing.
/// </summary>
public abstract class RetentionContract
{
    private const int Day = 20_000;
    private const int Hour = Day * 24;
    private static readonly DateTimeOffset s_midnight = DateTimeOffset.UnixEpoch.AddDays(Day);
    private static readonly Kept s_kept = new(TimeSpan.FromHours(2), TimeSpan.FromDays(3));
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task Minutes_go_when_their_last_write_is_old_enough_and_raise_the_floor()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour, 0), Row(At(0, 30), 5, 7));
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour + 1, 0), Row(At(1, 30), 5, 7));
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour, 1), Row(At(1, 40), 5, 7));

        await store.ForgetAsync(Time(2, 30));
        Assert.Null(await store.Counts.ReadMinutesFloorAsync(s_go));
        await store.ForgetAsync(Time(3, 1));

        Assert.Equal([true, false, false], await ForgottenAsync(store, "ad:1"));
        Assert.Equal(Hour + 1, await store.Counts.ReadMinutesFloorAsync(s_go));
        WindowRow row = await store.Windows.ReadAsync(new WindowKey("ad:1", Hour, 0));
        Assert.Equal([7, 0, 0, 0], row.Quarters);
        Assert.Equal((At(0, 30), 14), (row.Stamp, row.DayClicks));
        await store.ReopenAsync();
        Assert.Equal(Hour + 1, await store.Counts.ReadMinutesFloorAsync(s_go));
    }

    [Fact]
    public async Task Old_clicks_that_came_just_now_keep_their_minutes()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour - 2400, 0), Row(At(0, 30), 5, 7));

        await store.ForgetAsync(Time(2, 0));

        Assert.NotNull((await store.Windows.ReadAsync(new WindowKey("ad:1", Hour - 2400, 0))).Minutes);
        await store.ForgetAsync(Time(48, 0));
        Assert.Equal(7, (await store.Windows.ReadAsync(new WindowKey("ad:1", Hour - 2400, 0))).DayClicks);
    }

    [Fact]
    public async Task The_floor_never_rises_above_an_hour_that_may_still_be_clicked()
    {
        await using IStoreUnderTest store = await OpenAsync(new Kept(TimeSpan.FromMinutes(10), null));
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour + 1, 0), Row(At(0, 56), 1, 1)); // a clock five minutes ahead

        await store.ForgetAsync(Time(1, 30));
        Assert.Null(await store.Counts.ReadMinutesFloorAsync(s_go));
        await store.ForgetAsync(Time(2, 9));
        Assert.Null(await store.Counts.ReadMinutesFloorAsync(s_go));
        await store.ForgetAsync(Time(2, 11));
        Assert.Equal(Hour + 2, await store.Counts.ReadMinutesFloorAsync(s_go));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_window_without_minutes_that_is_clicked_again_grows_by_quarters_and_has_all_its_minutes_or_none(bool inMemory)
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        var key = new WindowKey("ad:1", Hour, 0);
        var ledger = new WindowLedger(new KeptWindow(store.Windows, key));
        WindowAck ack = await ledger.ApplyAsync(Delta(10, At(0, 30), null, 7, 5));
        await store.ForgetAsync(Time(3, 0));
        Assert.Null((await store.Windows.ReadAsync(key)).Minutes);

        ledger = inMemory ? ledger : new WindowLedger(new KeptWindow(store.Windows, key));
        ack = await ledger.ApplyAsync(Delta(20, At(3, 1), ack.Stamp, 33, 2));

        WindowRow row = await store.Windows.ReadAsync(key);
        Assert.Equal((WindowOutcome.Applied, 7, 7), (ack.Outcome, ack.HourClicks, ack.DayClicks));
        Assert.Equal([5, 0, 2, 0], row.Quarters);
        Assert.True(row.Minutes is null || row.Minutes.Sum() == 7);
        Assert.Equal(inMemory, row.Minutes is not null);
    }

    [Fact]
    public async Task A_day_goes_as_a_whole_when_the_last_write_to_any_of_its_hours_is_old_enough()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour, 0), Row(At(0, 30), 0, 1));
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour + 23, 0), Row(At(40, 0), 0, 2)); // a late click
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour + 24, 0), Row(At(24, 30), 0, 4));
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour, 1), Row(At(0, 30), 0, 8));
        await store.Windows.WriteAsync(new WindowKey("ad:2", Hour, 0), Row(At(0, 30), 0, 16));

        await store.ForgetAsync(Time(72 + 39, 0));
        Assert.Equal([(Day, 0, 3), (Day + 1, 0, 4)], await SumsAsync(store, "ad:1"));
        Assert.Empty(await SumsAsync(store, "ad:2"));
        Assert.Equal(["ad:1"], await ListAsync(store, Day));

        await store.ForgetAsync(Time(72 + 41, 0));
        Assert.Equal([(Day + 1, 0, 4)], await SumsAsync(store, "ad:1"));
        Assert.Empty(await ListAsync(store, Day));
        Assert.Equal(["ad:1"], await ListAsync(store, Day + 1));
        Assert.Equal(0, (await store.Windows.ReadAsync(new WindowKey("ad:1", Hour + 23, 0))).Stamp);
        Assert.Single(await store.Counts.ScanWindowsAsync(s_go).ToArrayAsync());
    }

    /// <summary>Its clicks are counted as long as they are younger than the retention: a day must be there for all of them.</summary>
    [Fact]
    public async Task A_day_stays_while_clicks_of_it_may_still_be_counted()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        var key = new WindowKey("ad:1", Hour, 0);
        await store.Windows.WriteAsync(key, Row(At(0, 30), 0, 1));

        await store.ForgetAsync(Time(72 + 23, 59)); // a click of 23:59 may arrive now
        Assert.Equal(1, (await store.Windows.ReadAsync(key)).Clicks);
        await store.ForgetAsync(Time(72 + 24, 1));
        Assert.Equal(0, (await store.Windows.ReadAsync(key)).Clicks);
    }

    [Fact]
    public async Task Without_an_end_days_stay_for_ever()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept with { Days = null });
        await store.Windows.WriteAsync(new WindowKey("ad:1", Hour, 0), Row(At(0, 30), 0, 1));
        await store.Batches.WriteAsync(Batch(At(0, 30), "a"), s_go);

        await store.ForgetAsync(Time(24 * 40_000, 0));

        Assert.Equal([(Day, 0, 1)], await SumsAsync(store, "ad:1"));
        Assert.Equal(2, await TopsAsync(store));
    }

    [Fact]
    public async Task What_is_derived_from_windows_goes_with_the_last_of_them()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        await store.Windows.WriteAsync(new WindowKey("ad:a", Hour, 0), Row(At(0, 30), 0, 1));
        await store.Windows.WriteAsync(new WindowKey("ad:b", Hour, 0), Row(At(30, 0), 0, 1));
        await store.Windows.WriteAsync(new WindowKey("page:p-1|country:DE", Hour, 0), Row(At(0, 30), 0, 1));
        await store.Windows.WriteAsync(new WindowKey("page:p-2", Hour + 48, 0), Row(At(48, 30), 0, 1));
        await store.Batches.WriteAsync(
            Batch(At(0, 30), "a", "b") with { Pages = [new PageRow("page:p-1", "https://one/", At(0, 30) / 1000), new PageRow("page:p-2", "https://two/", At(0, 30) / 1000)] }, s_go);

        await store.ForgetAsync(Time(72 + 25, 0));
        Assert.Empty(await SumsAsync(store, "ad:a"));
        Assert.Equal(2, await TopsAsync(store)); // ad:b is still there
        Assert.Equal(["p-2"], (await store.Counts.ReadPageUrlsAsync(["p-1", "p-2"], s_go)).Keys);

        await store.ForgetAsync(Time(72 + 31, 0));
        Assert.Equal(0, await TopsAsync(store));
        await store.ForgetAsync(Time(72 + 73, 0));
        Assert.Empty(await store.Counts.ReadPageUrlsAsync(["p-1", "p-2"], s_go));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_window_whose_row_was_forgotten_counts_on_when_it_is_clicked_again(bool inMemory, bool stampKnown)
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        var key = new WindowKey("ad:1", Hour, 0);
        var neighbour = new WindowKey("ad:1", Hour + 1, 0);
        var ledger = new WindowLedger(new KeptWindow(store.Windows, key));
        await new WindowLedger(new KeptWindow(store.Windows, neighbour)).ApplyAsync(Delta(10, At(1, 0), null, 0, 40));
        WindowAck ack = await ledger.ApplyAsync(Delta(10, At(1, 0), null, 7, 5));
        await store.ForgetAsync(Time(24 * 20, 0));
        Assert.Empty(await SumsAsync(store, "ad:1"));

        // The counting trails: clicks that are older than the retention by now were appended when they were not.
        ledger = inMemory ? ledger : new WindowLedger(new KeptWindow(store.Windows, key));
        ack = await ledger.ApplyAsync(Delta(20, At(48, 0), stampKnown ? ack.Stamp : null, 33, 2));

        Assert.Equal(WindowOutcome.Applied, ack.Outcome);
        WindowRow row = await store.Windows.ReadAsync(key);
        Assert.False(row.SetAside);
        Assert.Equal(2, row.Quarters[2]);
        Assert.True(row.Quarters[0] is 0 or 5); // forgotten, or still known, but never some of it
        Assert.Equal(row.Minutes!.Sum(), row.Clicks);
        Assert.Equal([(Day, 0, row.Clicks)], await SumsAsync(store, "ad:1"));
        Assert.Equal((row.Clicks, row.Clicks), (ack.HourClicks, ack.DayClicks));
        Assert.Equal(["ad:1"], await ListAsync(store, Day));
    }

    [Fact]
    public async Task A_row_that_is_missing_though_retention_did_not_take_it_is_set_aside()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        await store.Windows.WriteAsync(new WindowKey("ad:old", Hour - 240, 0), Row(At(-200, 0), 0, 1));
        await store.ForgetAsync(Time(0, 0));
        var ledger = new WindowLedger(new KeptWindow(store.Windows, new WindowKey("ad:1", Hour, 0)));

        WindowAck ack = await ledger.ApplyAsync(Delta(20, At(1, 0), At(0, 30), 33, 2));

        Assert.Equal(WindowOutcome.SetAside, ack.Outcome);
    }

    /// <summary>A day that is chosen to go, and written before it goes, stays: nothing that is written now is forgotten now.</summary>
    [Fact]
    public async Task Forgetting_beside_a_writer_takes_nothing_that_was_just_written()
    {
        const int Series = 400;
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        await Task.WhenAll(Enumerable.Range(0, Series).Select(n => store.Windows.WriteAsync(new WindowKey($"ad:{n}", Hour, 0), Row(At(0, 30), 5, 1))));
        long now = At(24 * 10, 0);

        Task writing = Task.Run(() => Task.WhenAll(Enumerable.Range(0, Series)
            .Select(n => store.Windows.WriteAsync(new WindowKey($"ad:{n}", Hour + 1, 0), Row(now, 5, 2)))));
        await store.ForgetAsync(Time(24 * 10, 0));
        await writing;

        Assert.Equal(Series, (await store.Counts.ListSeriesAsync("ad:", Hour, Hour + 24, null, 10_000, s_go)).Count);
        for (int n = 0; n < Series; n++)
        {
            (int _, int _, long sum) = Assert.Single(await SumsAsync(store, $"ad:{n}"));
            Assert.True(sum is 2 or 3, $"ad:{n}: {sum}");
            Assert.NotNull((await store.Windows.ReadAsync(new WindowKey($"ad:{n}", Hour + 1, 0))).Minutes);
        }
    }

    [Fact]
    public async Task More_days_than_one_step_takes_are_all_forgotten_in_one_pass()
    {
        await using IStoreUnderTest store = await OpenAsync(s_kept);
        await Task.WhenAll(Enumerable.Range(0, 4_500).Select(n =>
            store.Windows.WriteAsync(new WindowKey($"ad:{n}", Hour, 0), Row(n % 3 == 0 ? At(24 * 10, 0) : At(0, 30), 5, 1))));

        await store.ForgetAsync(Time(24 * 10, 1));

        Assert.Equal(1_500, (await store.Counts.ListSeriesAsync("ad:", Hour, Hour + 24, null, 10_000, s_go)).Count);
        Assert.Equal(1_500, await store.Counts.ScanWindowsAsync(s_go).CountAsync());
    }

    /// <summary>An empty store that keeps so much.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync(Kept kept);

    private static DateTimeOffset Time(int hours, int minutes) => s_midnight.AddHours(hours).AddMinutes(minutes);

    private static long At(int hours, int minutes) => Time(hours, minutes).ToUnixTimeMilliseconds() * 1000;

    private static BatchRows Batch(long stamp, params string[] ids)
    {
        TopEntry[] entries = [.. ids.Select(id => new TopEntry(id, 1))];
        return new BatchRows(
            0, 1, stamp, [Hour],
            [new TopList(new TopKey(TargetKind.Ad, TopSlice.Hour, Hour, 0), entries, 0), new TopList(new TopKey(TargetKind.Ad, TopSlice.Day, Day, 0), entries, 0)], []);
    }

    private static async Task<int> TopsAsync(IStoreUnderTest store) =>
        (await store.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Hour, Hour, Hour + 24, s_go)).Count
        + (await store.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Day, Day, Day + 1, s_go)).Count;

    private static Task<IReadOnlyList<DayRow>> DaysAsync(IStoreUnderTest store, string series) =>
        store.Counts.ReadDaysAsync([series], Day - 1000, Day + 1000, s_go);

    private static async Task<IEnumerable<bool>> ForgottenAsync(IStoreUnderTest store, string series) =>
        (await store.Counts.ReadHoursAsync([series], Hour - 24_000, Hour + 24_000, true, s_go))
            .OrderBy(row => (row.Chain, row.Hour)).Select(row => row.Minutes is null);

    /// <summary>The days of a series with their sums, each the sum of the hours that are there.</summary>
    private static async Task<IEnumerable<(int Day, int Chain, long Sum)>> SumsAsync(IStoreUnderTest store, string series)
    {
        (int, int, long)[] days = [.. (await DaysAsync(store, series)).Select(day => (day.Day, day.Chain, day.Quarters.Sum())).Order()];
        Assert.Equal(
            (await store.Counts.ReadHoursAsync([series], Hour - 24_000, Hour + 24_000, true, s_go))
                .GroupBy(row => (row.Hour / 24, row.Chain)).Select(group => (group.Key.Item1, group.Key.Chain, group.Sum(row => row.Quarters.Sum()))).Order(),
            days);
        return days;
    }

    private static Task<IReadOnlyList<string>> ListAsync(IStoreUnderTest store, int day) =>
        store.Counts.ListSeriesAsync("ad:", day * 24, (day + 1) * 24, null, 10, s_go);
}
