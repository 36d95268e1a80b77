using ClickAggregator.Grains;
using ClickAggregator.Grains.Storage;
using Orleans;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>
/// What the storage provider <c>windows</c> promises: absolute rows, ordered by their stamps, and the day slice and the
/// list of series written in the same step.
/// </summary>
public abstract class WindowStorageContract
{
    private const int Hour = 500_000;
    private const int Day = Hour / 24;
    private static readonly WindowKey s_key = new("ad:42", Hour, 3);

    [Fact]
    public async Task A_window_that_was_never_written_has_stamp_0_and_all_its_minutes()
    {
        await using IStoreUnderTest store = await OpenAsync();

        WindowRow row = await store.Windows.ReadAsync(s_key);

        Assert.Equal((0, 0, false, null, 0), (row.Stamp, row.Upto, row.SetAside, row.Run, row.Clicks));
        Assert.Equal(new long[60], row.Minutes);
    }

    [Fact]
    public async Task A_row_reads_back_as_it_was_written()
    {
        await using IStoreUnderTest store = await OpenAsync();
        var row = new WindowRow
        {
            Minutes = [.. Enumerable.Range(0, 60).Select(n => n * 1_000_000_007L)],
            Quarters = [long.MaxValue / 8, 0, 1, 127],
            Upto = long.MaxValue,
            Stamp = 1_900_000_000_123_456,
            SetAside = true,
            Run = "run 7 – ü",
            AtFinal = new CountsAtFinal(17, [.. Enumerable.Range(0, 60).Select(n => n * 3L)]),
        };
        await store.Windows.WriteAsync(s_key, row);
        await store.ReopenAsync();

        WindowRow read = await store.Windows.ReadAsync(s_key);

        Assert.Equal(row.Minutes, read.Minutes);
        Assert.Equal(row.Quarters, read.Quarters);
        Assert.Equal((row.Upto, row.Stamp, true, row.Run), (read.Upto, read.Stamp, read.SetAside, read.Run));
        Assert.Equal(17, read.AtFinal!.Version);
        Assert.Equal(row.AtFinal.Counts, read.AtFinal.Counts);
    }

    [Fact]
    public async Task What_a_window_had_at_a_finalisation_is_read_with_its_row_and_gives_way_to_what_it_had_at_the_next()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.Windows.WriteAsync(s_key, Row(10, 20, 5, upto: 100));
        StandingRow never = Assert.Single(await StandingAsync());
        Assert.Equal((100L, null, null), (never.Upto, never.Run, never.AtFinal));
        Assert.Equal(5, never.CountsAt(new FinalMark(100, 1, 7))![20]);
        Assert.Null(never.CountsAt(new FinalMark(99, 1, 7)));

        foreach ((long version, long[] counts) in ((long, long[])[])[(7, [0, 5, 0, 0]), (9, new long[60])])
        {
            WindowRow row = Row(10 + version, 20, 8, upto: 100 + version);
            (row.Run, row.AtFinal) = ("r3", new CountsAtFinal(version, counts));
            await store.Windows.WriteAsync(s_key, row);
            StandingRow standing = Assert.Single(await StandingAsync());
            Assert.Equal((s_key.Series, s_key.Hour, s_key.Chain, 100 + version, "r3"), (standing.Row.Series, standing.Row.Hour, standing.Row.Chain, standing.Upto, standing.Run));
            Assert.Equal(8, standing.Row.Minutes![20]);
            Assert.Equal(counts, standing.CountsAt(new FinalMark(100, 2, version)));
            Assert.Null(standing.CountsAt(new FinalMark(100, 2, version - 1)));
            Assert.Null(standing.CountsAt(new FinalMark(1000, 2, version + 1))); // a later run has corrected the row
            Assert.Equal(8, standing.CountsAt(new FinalMark(1000, 3, version + 1))![20]);
        }

        Assert.Empty(await store.Counts.ReadStandingAsync([s_key.Series], Hour + 1, Hour + 2, CancellationToken.None));
        Assert.Empty(await store.Counts.ReadStandingAsync(["ad:4"], Hour, Hour + 1, CancellationToken.None));

        Task<IReadOnlyList<StandingRow>> StandingAsync() => store.Counts.ReadStandingAsync([s_key.Series], Hour - 30, Hour + 30, CancellationToken.None);
    }

    [Fact]
    public async Task Forgotten_minutes_stay_forgotten()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.Windows.WriteAsync(s_key, new WindowRow { Minutes = null, Quarters = [1, 2, 3, 4], Stamp = 10 });

        WindowRow read = await store.Windows.ReadAsync(s_key);

        Assert.Null(read.Minutes);
        Assert.Equal([1, 2, 3, 4], read.Quarters);
        Assert.Null(Assert.Single(await HoursAsync(store, s_key.Series)).Minutes);
    }

    [Fact]
    public async Task Counts_are_absolute_and_may_fall()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.Windows.WriteAsync(s_key, Row(10, 0, 5));
        await store.Windows.WriteAsync(s_key, Row(11, 0, 8));
        await store.Windows.WriteAsync(s_key, Row(12, 20, 2));

        WindowRow read = await store.Windows.ReadAsync(s_key);

        Assert.Equal([0, 2, 0, 0], read.Quarters);
        Assert.Equal((2, 0, 2), (read.Minutes![20], read.Minutes[0], read.DayClicks));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(9)]
    [InlineData(1)]
    [InlineData(0)]
    [InlineData(-5)]
    public async Task A_write_whose_stamp_is_not_above_the_stored_one_changes_nothing(long stamp)
    {
        await using IStoreUnderTest store = await OpenAsync();
        await store.Windows.WriteAsync(s_key, Row(10, 0, 5, upto: 7));
        WindowRow late = Row(stamp, 30, 9, upto: 8);
        late.SetAside = true;
        late.Run = "late";

        await store.Windows.WriteAsync(s_key, late);

        Assert.Equal(5, late.DayClicks);
        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal([5, 0, 0, 0], read.Quarters);
        Assert.Equal((10, 7, false, null, 5), (read.Stamp, read.Upto, read.SetAside, read.Run, read.DayClicks));
        DayRow day = Assert.Single(await DaysAsync(store, s_key.Series));
        Assert.Equal((5, false), (day.Quarters.Sum(), day.SetAside));
        Assert.Equal([s_key.Series], await ListAsync(store));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task Where_there_is_no_row_its_stamp_is_0_and_a_write_has_to_be_above_it(long stamp)
    {
        await using IStoreUnderTest store = await OpenAsync();
        var state = new GrainState<WindowRow> { State = Row(stamp, 0, 5) };

        await store.Windows.WriteStateAsync("window", IdOf(s_key), state);

        Assert.Equal(0, (await store.Windows.ReadAsync(s_key)).Clicks);
        Assert.Empty(await DaysAsync(store, s_key.Series));
        Assert.Empty(await ListAsync(store));
    }

    [Fact]
    public async Task A_row_of_another_shape_is_refused()
    {
        await using IStoreUnderTest store = await OpenAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => store.Windows.WriteAsync(s_key, new WindowRow { Stamp = 1, Quarters = new long[5] }));
        await Assert.ThrowsAsync<ArgumentException>(() => store.Windows.WriteAsync(s_key, new WindowRow { Stamp = 1, Minutes = new long[59] }));
    }

    [Fact]
    public async Task Each_write_and_each_read_says_the_clicks_of_the_day()
    {
        await using IStoreUnderTest store = await OpenAsync();
        WindowRow first = Row(10, 0, 5);
        await store.Windows.WriteAsync(new WindowKey("ad:42", Day * 24, 3), first);
        WindowRow last = Row(11, 59, 7);
        await store.Windows.WriteAsync(new WindowKey("ad:42", (Day * 24) + 23, 3), last);
        await store.Windows.WriteAsync(new WindowKey("ad:42", (Day * 24) + 24, 3), Row(12, 0, 100));
        await store.Windows.WriteAsync(new WindowKey("ad:42", (Day * 24) - 1, 3), Row(13, 0, 100));
        await store.Windows.WriteAsync(new WindowKey("ad:42", Day * 24, 2), Row(14, 0, 100));
        await store.Windows.WriteAsync(new WindowKey("ad:43", Day * 24, 3), Row(15, 0, 100));

        Assert.Equal((5, 12), (first.DayClicks, last.DayClicks));
        Assert.Equal(12, (await store.Windows.ReadAsync(new WindowKey("ad:42", Day * 24, 3))).DayClicks);
        Assert.Equal(12, (await store.Windows.ReadAsync(new WindowKey("ad:42", (Day * 24) + 7, 3))).DayClicks);
        long[] quarters = Assert.Single(await DaysAsync(store, "ad:42"), day => day.Chain == 3).Quarters;
        Assert.Equal((5, 7, 12), (quarters[0], quarters[95], quarters.Sum()));
    }

    [Fact]
    public async Task A_day_is_set_aside_until_the_last_of_its_hours_is_corrected()
    {
        await using IStoreUnderTest store = await OpenAsync();
        WindowKey Key(int hour) => new("ad:42", (Day * 24) + hour, 3);
        WindowRow Aside(long stamp)
        {
            WindowRow row = Row(stamp, 0, 1);
            row.SetAside = true;
            return row;
        }

        async Task<bool> IsAsideAsync() => Assert.Single(await DaysAsync(store, "ad:42")).SetAside;

        await store.Windows.WriteAsync(Key(1), Row(10, 0, 1));
        Assert.False(await IsAsideAsync());
        await store.Windows.WriteAsync(Key(2), Aside(11));
        Assert.True(await IsAsideAsync());
        await store.Windows.WriteAsync(Key(1), Aside(12));
        await store.Windows.WriteAsync(Key(3), Row(13, 0, 1));
        Assert.True(await IsAsideAsync());
        await store.Windows.WriteAsync(Key(2), Row(14, 0, 4));
        Assert.True(await IsAsideAsync());
        await store.Windows.WriteAsync(Key(1), Row(15, 0, 4));
        Assert.False(await IsAsideAsync());
        Assert.Equal([false, false, false], (await HoursAsync(store, "ad:42")).Select(row => row.SetAside));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(23, 0, 92)]
    [InlineData(-1, -1, 92)]
    [InlineData(-24, -1, 0)]
    [InlineData(-25, -2, 92)]
    [InlineData(87_600_000, 3_650_000, 0)]
    public async Task Hours_of_any_sign_lie_in_the_day_that_holds_them(int hour, int day, int quarter)
    {
        await using IStoreUnderTest store = await OpenAsync();
        var key = new WindowKey("ad:42", hour, 0);
        await store.Windows.WriteAsync(key, Row(10, 0, 6));

        Assert.Equal(6, (await store.Windows.ReadAsync(key)).DayClicks);
        DayRow row = Assert.Single(await store.Counts.ReadDaysAsync(["ad:42"], day, day + 1, CancellationToken.None));
        Assert.Equal((6, 6), (row.Quarters[quarter], row.Quarters.Sum()));
        Assert.Equal(["ad:42"], await store.Counts.ListSeriesAsync("ad:", hour, hour + 1, null, 10, CancellationToken.None));
    }

    [Fact]
    public async Task Series_with_odd_characters_are_kept_apart()
    {
        string[] series =
        [
            "ad:a", "ad:A", "ad:a ", "ad:ä", "ad:a\u0308", "ad:a'--", "ad:a%", "ad:a_", "ad:a@9", "ad:a@9@9", "ad:日本", "ad:👍", "ad:עב",
            "ad:a|country:|device:", "ad:" + new string('x', 2000),
        ];
        await using IStoreUnderTest store = await OpenAsync();
        for (int n = 0; n < series.Length; n++)
        {
            await store.Windows.WriteAsync(new WindowKey(series[n], Hour, 0), Row(10, 0, n + 1));
        }

        for (int n = 0; n < series.Length; n++)
        {
            Assert.Equal(n + 1, (await store.Windows.ReadAsync(new WindowKey(series[n], Hour, 0))).Clicks);
        }

        Assert.Equal(series, (await store.Counts.ReadHoursAsync(series, Hour, Hour + 1, false, CancellationToken.None)).Select(row => row.Series));
        Assert.Equal(series.Order(StringComparer.Ordinal), await store.Counts.ScanWindowsAsync(CancellationToken.None).Select(pair => pair.Key.Series)
            .Order(StringComparer.Ordinal).ToArrayAsync());
    }

    [Fact]
    public async Task Of_writes_that_arrive_in_any_order_the_one_with_the_highest_stamp_stands()
    {
        await using IStoreUnderTest store = await OpenAsync();
        long[] stamps = [.. Enumerable.Range(1, 200).Select(n => (long)n)];
        new Random(5).Shuffle(stamps);

        await Parallel.ForEachAsync(stamps, async (stamp, _) => await store.Windows.WriteAsync(s_key, Row(stamp, 0, stamp * 3)));

        WindowRow read = await store.Windows.ReadAsync(s_key);
        Assert.Equal((200, 600, 600), (read.Stamp, read.Clicks, read.DayClicks));
    }

    [Fact]
    public async Task Only_windows_are_kept_and_none_is_cleared()
    {
        await using IStoreUnderTest store = await OpenAsync();

        await Assert.ThrowsAsync<NotSupportedException>(
            () => store.Windows.WriteStateAsync("window", IdOf(s_key), new GrainState<object> { State = new object() }));
        await Assert.ThrowsAsync<NotSupportedException>(
            () => store.Windows.ClearStateAsync("window", IdOf(s_key), new GrainState<WindowRow> { State = Row(1, 0, 1) }));
    }

    /// <summary>An empty store.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync();

    private static Task<IReadOnlyList<HourRow>> HoursAsync(IStoreUnderTest store, string series) =>
        store.Counts.ReadHoursAsync([series], Day * 24, (Day + 1) * 24, true, CancellationToken.None);

    private static Task<IReadOnlyList<DayRow>> DaysAsync(IStoreUnderTest store, string series) =>
        store.Counts.ReadDaysAsync([series], Day, Day + 1, CancellationToken.None);

    private static Task<IReadOnlyList<string>> ListAsync(IStoreUnderTest store) =>
        store.Counts.ListSeriesAsync("ad:", Day * 24, (Day + 1) * 24, null, 10, CancellationToken.None);
}
