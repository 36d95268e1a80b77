using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>What <see cref="ICountReader"/> promises: half-open ranges, all chains, ordinal order, rows that are whole and never go back.</summary>
public abstract class CountReaderContract
{
    private const int Hour = 500_000;
    private const int Day = Hour / 24;
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task An_empty_store_answers_with_nothing()
    {
        await using IStoreUnderTest store = await OpenAsync();

        Assert.Empty(await store.Counts.ReadHoursAsync(["ad:1"], 0, int.MaxValue, true, s_go));
        Assert.Empty(await store.Counts.ReadDaysAsync(["ad:1"], 0, int.MaxValue, s_go));
        Assert.Empty(await store.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Day, 0, int.MaxValue, s_go));
        Assert.Empty(await store.Counts.ListSeriesAsync("ad:", Hour, Hour + 24, null, 10, s_go));
        Assert.Empty(await store.Counts.ReadPageUrlsAsync(["p-1"], s_go));
        Assert.Null(await store.Counts.ReadMinutesFloorAsync(s_go));
        Assert.Empty(await store.Counts.ScanWindowsAsync(s_go).ToArrayAsync());
        Assert.Empty(await store.Counts.ScanDaysAsync(s_go).ToArrayAsync());
        Assert.Empty(await store.Counts.ScanTopsAsync(s_go).ToArrayAsync());
    }

    [Fact]
    public async Task Hours_are_those_of_the_half_open_range_of_each_series_and_all_chains()
    {
        await using IStoreUnderTest store = await OpenAsync();
        foreach (string series in new[] { "ad:1", "ad:2", "ad:3" })
        {
            foreach (int hour in new[] { Hour - 1, Hour, Hour + 1, Hour + 2 })
            {
                await store.Windows.WriteAsync(new WindowKey(series, hour, 0), Row(10, 1, hour));
                await store.Windows.WriteAsync(new WindowKey(series, hour, 2), Row(10, 2, hour));
            }
        }

        IReadOnlyList<HourRow> rows = await store.Counts.ReadHoursAsync(["ad:2", "none", "ad:1"], Hour, Hour + 2, true, s_go);

        Assert.Equal(
            [("ad:1", Hour, 0), ("ad:1", Hour, 2), ("ad:1", Hour + 1, 0), ("ad:1", Hour + 1, 2),
                ("ad:2", Hour, 0), ("ad:2", Hour, 2), ("ad:2", Hour + 1, 0), ("ad:2", Hour + 1, 2)],
            rows.Select(row => (row.Series, row.Hour, row.Chain)).Order());
        Assert.All(rows, row => Assert.Equal((row.Hour, row.Hour), (row.Quarters[0], row.Minutes![row.Chain == 0 ? 1 : 2])));
        Assert.All(await store.Counts.ReadHoursAsync(["ad:1"], Hour, Hour + 2, false, s_go), row => Assert.Null(row.Minutes));
        Assert.Empty(await store.Counts.ReadHoursAsync(["ad:1"], Hour, Hour, true, s_go));
        Assert.Empty(await store.Counts.ReadHoursAsync([], Hour, Hour + 2, true, s_go));
    }

    /// <summary>What rankings read may be remembered; a batch that is complete is in it all the same.</summary>
    [Theory]
    [InlineData(Day)]
    [InlineData(-9)] // days that are over for a clock that stands at the epoch
    public async Task A_ranking_sees_a_late_batch_or_correction_of_any_chain_and_a_day_that_was_empty_before_at_once(int first)
    {
        await using IStoreUnderTest store = await OpenAsync();
        var clicks = new Dictionary<(string Series, int Day), long>();
        var random = new Random(3);
        for (int batch = 1; batch <= 30; batch++)
        {
            // Later stamps, and earlier ones of a chain that trails.
            int chain = random.Next(3), day = first + random.Next(4), hour = (day * 24) + random.Next(24);
            string series = $"ad:{random.Next(3)}";
            long stamp = (batch * 1000L) + (chain == 2 ? 0 : 1_000_000);
            var key = new WindowKey(series, hour, chain);
            WindowRow before = await store.Windows.ReadAsync(key);
            await store.Windows.WriteAsync(key, Row(stamp, 7, before.Clicks + batch));
            // Lists are remembered of days that are over.
            var list = new TopList(new TopKey(TargetKind.Ad, TopSlice.Day, day - first - 9, chain), [new TopEntry("x", batch)], 0);
            bool corrects = random.Next(3) == 0;
            await store.Batches.WriteAsync(
                new BatchRows(chain, batch, stamp, corrects ? [] : [hour], [list], []) { Corrected = corrects ? [hour] : [] }, s_go);
            clicks[(series, day)] = clicks.GetValueOrDefault((series, day)) + batch;

            DayMarks? marks = await store.Counts.ReadMarksAsync(first, first + 4, s_go);
            await AgreesAsync(first, first + 4, marks);

            // Some of these days, and ranges that reach far beyond them on either side.
            int from = first + 2 - random.Next(90), to = from + 1 + random.Next(99);
            await AgreesAsync(from, to, await store.Counts.ReadMarksAsync(from, to, s_go));
            IReadOnlyList<HourRow> rows = await store.Counts.ReadCountedHourAsync(["none", series], hour, marks, s_go);
            Assert.Equal(before.Clicks + batch, rows.Single(row => row.Chain == chain).Minutes![7]);
            Task<DayMarks?> ofLists = store.Counts.ReadMarksAsync(-9, -5, s_go);
            Assert.Contains(await store.Counts.ReadCountedTopsAsync(TargetKind.Ad, TopSlice.Day, -9, -5, ofLists, s_go), found =>
                found.Key == list.Key && found.Entries[0].Clicks == batch);
        }

        async Task AgreesAsync(int from, int to, DayMarks? marks)
        {
            IReadOnlyList<DayRow> days = await store.Counts.ReadCountedDaysAsync(["ad:0", "ad:1", "ad:2", "none"], from, to, marks, s_go);
            Assert.Equal(
                clicks.Where(each => each.Key.Day >= from && each.Key.Day < to).OrderBy(each => each.Key).Select(each => (each.Key.Series, each.Key.Day, each.Value)),
                days.GroupBy(row => (row.Series, row.Day)).Select(row => (row.Key.Series, row.Key.Day, row.Sum(one => one.Quarters.Sum()))).Order());
        }
    }

    [Fact]
    public async Task Days_are_those_of_the_half_open_range_of_each_series_and_all_chains()
    {
        await using IStoreUnderTest store = await OpenAsync();
        foreach (string series in new[] { "ad:1", "ad:2", "ad:3" })
        {
            for (int day = Day - 1; day <= Day + 2; day++)
            {
                await store.Windows.WriteAsync(new WindowKey(series, day * 24, 0), Row(10, 0, day));
                await store.Windows.WriteAsync(new WindowKey(series, (day * 24) + 23, 1), Row(10, 59, day));
            }
        }

        IReadOnlyList<DayRow> rows = await store.Counts.ReadDaysAsync(["ad:3", "ad:1", "none"], Day, Day + 2, s_go);

        Assert.Equal(
            [("ad:1", Day, 0), ("ad:1", Day, 1), ("ad:1", Day + 1, 0), ("ad:1", Day + 1, 1),
                ("ad:3", Day, 0), ("ad:3", Day, 1), ("ad:3", Day + 1, 0), ("ad:3", Day + 1, 1)],
            rows.Select(row => (row.Series, row.Day, row.Chain)).Order());
        Assert.All(rows, row => Assert.Equal((row.Day, row.Day), (row.Quarters[row.Chain == 0 ? 0 : 95], row.Quarters.Sum())));
    }

    [Fact]
    public async Task Tops_are_those_of_the_half_open_range_of_one_kind_and_slice_and_all_chains()
    {
        await using IStoreUnderTest store = await OpenAsync();
        for (int chain = 0; chain < 2; chain++)
        {
            int one = chain;
            TopList List(TargetKind kind, TopSlice slice, int start) => new(new TopKey(kind, slice, start, one), [new TopEntry("a", start)], one);
            await store.Batches.WriteAsync(
                new BatchRows(chain, 1, 10, [], [List(TargetKind.Ad, TopSlice.Hour, 9), List(TargetKind.Ad, TopSlice.Hour, 10), List(TargetKind.Ad, TopSlice.Hour, 11),
                    List(TargetKind.Ad, TopSlice.Hour, 12), List(TargetKind.Ad, TopSlice.Day, 10), List(TargetKind.Post, TopSlice.Hour, 10)], []),
                s_go);
        }

        IReadOnlyList<TopList> lists = await store.Counts.ReadTopsAsync(TargetKind.Ad, TopSlice.Hour, 10, 12, s_go);

        Assert.Equal([(10, 0), (10, 1), (11, 0), (11, 1)], lists.Select(list => (list.Key.Start, list.Key.Chain)).Order());
        Assert.All(lists, list => Assert.Equal((TargetKind.Ad, TopSlice.Hour, list.Key.Chain, list.Key.Start),
            (list.Key.Kind, list.Key.Slice, (int)list.Floor, (int)list.Entries[0].Clicks)));
    }

    [Fact]
    public async Task A_list_of_series_is_ordinal_within_its_prefix_and_plain()
    {
        await using IStoreUnderTest store = await OpenAsync();
        string[] series =
        [
            "total", "ac:9", "ad:", "ad:-", "ad:1", "ad:10", "ad:2", "ad:A", "ad:a", "ad:~", "ad:1|country:US", "ad:1|country:", "ad:1|country:DE", "ae:1", "campaign:1",
        ];
        foreach (string one in series)
        {
            await store.Windows.WriteAsync(new WindowKey(one, Hour, 0), Row(10, 0, 1));
        }

        Task<IReadOnlyList<string>> ListAsync(string prefix, string? after = null, int limit = 100) =>
            store.Counts.ListSeriesAsync(prefix, Hour, Hour + 1, after, limit, s_go);

        Assert.Equal(["ad:", "ad:-", "ad:1", "ad:10", "ad:2", "ad:A", "ad:a", "ad:~"], await ListAsync("ad:"));
        Assert.Equal(["ad:10", "ad:2"], await ListAsync("ad:", "ad:1", 2));
        Assert.Equal(["ad:2"], await ListAsync("ad:", "ad:15", 1));
        Assert.Equal(["ad:", "ad:-"], await ListAsync("ad:", "aa", 2));
        Assert.Empty(await ListAsync("ad:", "ad:~"));
        Assert.Empty(await ListAsync("ad:", "b"));
        Assert.Empty(await ListAsync("ad:", limit: 0));
        Assert.Equal(["ad:1", "ad:10"], await ListAsync("ad:1"));
        Assert.Equal(["total"], await ListAsync("total"));
        Assert.Equal(["ad:1|country:", "ad:1|country:DE", "ad:1|country:US"], await ListAsync("ad:1|country:"));
    }

    [Fact]
    public async Task A_list_of_several_days_holds_each_series_once_and_pages_add_up()
    {
        await using IStoreUnderTest store = await OpenAsync();
        var expected = new SortedSet<string>(StringComparer.Ordinal);
        for (int n = 0; n < 60; n++)
        {
            string series = $"ad:{n * 7919 % 101}";
            expected.Add(series);
            await store.Windows.WriteAsync(new WindowKey(series, Hour + (n % 4 * 24), n % 2), Row(10, 0, 1));
            await store.Windows.WriteAsync(new WindowKey(series, Hour + 24, n % 3), Row(10, 0, 1));
        }

        await store.Windows.WriteAsync(new WindowKey("ad:before", Hour - 24, 0), Row(10, 0, 1));
        await store.Windows.WriteAsync(new WindowKey("ad:behind", Hour + 96, 0), Row(10, 0, 1));
        for (int limit = 1; limit < 70; limit += 6)
        {
            var walked = new List<string>();
            string? after = null;
            IReadOnlyList<string> page;
            do
            {
                page = await store.Counts.ListSeriesAsync("ad:", Hour, Hour + 73, after, limit, s_go);
                Assert.InRange(page.Count, 0, limit);
                walked.AddRange(page);
                after = page.Count > 0 ? page[^1] : after;
            }
            while (page.Count == limit);
            Assert.Equal(expected, walked);
        }
    }

    [Fact]
    public async Task A_scan_gives_every_window_once()
    {
        const int Windows = 12_000;
        await using IStoreUnderTest store = await OpenAsync();
        WindowKey[] keys = [.. Enumerable.Range(0, Windows).Select(n => new WindowKey($"ad:{n % 700}", n % 19, n % 3)).Distinct()];
        await Task.WhenAll(keys.Select((key, n) => store.Windows.WriteAsync(key, Row(10 + n, 0, n + 1))));

        (WindowKey Key, WindowRow Row)[] scanned = await store.Counts.ScanWindowsAsync(s_go).ToArrayAsync();

        Assert.True(keys.Length > 10_500);
        Assert.Equal(
            keys.OrderBy(key => key.ToString(), StringComparer.Ordinal), scanned.Select(pair => pair.Key).OrderBy(key => key.ToString(), StringComparer.Ordinal));
        Dictionary<WindowKey, long> clicks = keys.Select((key, n) => (key, n)).ToDictionary(pair => pair.key, pair => pair.n + 1L);
        Assert.All(scanned, pair => Assert.Equal((clicks[pair.Key], 9 + clicks[pair.Key]), (pair.Row.Clicks, pair.Row.Stamp)));
    }

    [Fact]
    public async Task A_scan_gives_every_day_row_and_every_top_list_once()
    {
        await using IStoreUnderTest store = await OpenAsync();
        WindowKey[] keys = [.. Enumerable.Range(0, 6_000).Select(n => new WindowKey($"ad:{n % 700}", Hour + (n % 97), n % 3)).Distinct()];
        await Task.WhenAll(keys.Select((key, n) => store.Windows.WriteAsync(key, Row(10 + n, 0, n + 1))));
        TopList[] lists =
        [
            .. from kind in TargetKinds.All from slice in new[] { TopSlice.Hour, TopSlice.Day } from start in Enumerable.Range(Hour, 20) from chain in new[] { 0, 2 }
                select new TopList(new TopKey(kind, slice, start, chain), [new TopEntry("é", start), new TopEntry("b", chain + 1)], start % 7),
        ];
        await store.Batches.WriteAsync(new BatchRows(0, 1, 10, [], [.. lists.Where(list => list.Key.Chain == 0)], []), s_go);
        await store.Batches.WriteAsync(new BatchRows(2, 1, 10, [], [.. lists.Where(list => list.Key.Chain == 2)], []), s_go);

        DayRow[] days = await store.Counts.ScanDaysAsync(s_go).ToArrayAsync();
        TopList[] tops = await store.Counts.ScanTopsAsync(s_go).ToArrayAsync();

        var expected = keys.Select((key, n) => (key.Series, Day: key.Hour / 24, key.Chain, key.Hour, Clicks: n + 1L))
            .GroupBy(window => (window.Series, window.Day, window.Chain)).ToDictionary(day => day.Key, day => day.ToList());
        Assert.Equal(expected.Keys.Order(), days.Select(row => (row.Series, row.Day, row.Chain)).Order());
        Assert.All(days, row =>
        {
            long[] quarters = new long[96];
            expected[(row.Series, row.Day, row.Chain)].ForEach(window => quarters[(window.Hour - (row.Day * 24)) * 4] = window.Clicks);
            Assert.Equal(quarters, row.Quarters);
        });
        Dictionary<TopKey, TopList> stored = tops.ToDictionary(list => list.Key);
        Assert.Equal(lists.Length, stored.Count);
        Assert.All(lists, list => Assert.Equivalent(list, stored[list.Key], strict: true));
    }

    [Fact]
    public async Task A_read_that_is_cancelled_says_so_and_leaves_the_store_usable()
    {
        await using IStoreUnderTest store = await OpenAsync();
        string[] series = [.. Enumerable.Range(0, 1000).Select(n => $"ad:{n}")];
        await Task.WhenAll(series.Select(one => store.Windows.WriteAsync(new WindowKey(one, Hour, 0), Row(10, 0, 1))));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.Counts.ReadHoursAsync(series, Hour, Hour + 1, true, new CancellationToken(canceled: true)));
        for (int n = 0; n < 40; n++)
        {
            using var cancel = new CancellationTokenSource();
            Task<IReadOnlyList<HourRow>> read = store.Counts.ReadHoursAsync(series, Hour, Hour + 1, true, cancel.Token);
            await cancel.CancelAsync();
            try
            {
                Assert.Equal(1000, (await read).Count);
            }
            catch (OperationCanceledException)
            {
            }
        }

        await store.Windows.WriteAsync(new WindowKey("ad:0", Hour, 0), Row(11, 0, 2));
        Assert.Equal(1001, (await store.Counts.ReadHoursAsync(series, Hour, Hour + 1, true, s_go)).Sum(row => row.Quarters[0]));
    }

    /// <summary>Each row of an answer is one that was written as it is, whole, and none is older than one that was read before.</summary>
    [Fact]
    public async Task A_row_never_goes_back_nor_ahead_of_what_was_written_while_a_writer_writes()
    {
        await using IStoreUnderTest store = await OpenAsync();
        string[] series = [.. Enumerable.Range(0, 300).Select(n => $"ad:{n}")];
        await Task.WhenAll(series.Select(one => store.Windows.WriteAsync(new WindowKey(one, Hour, 0), Row(1, 0, 1))));
        using var stop = new CancellationTokenSource();
        long begun = 1;
        Task writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                long round = Interlocked.Increment(ref begun);
                await store.Windows.WriteAsync(new WindowKey(series[0], Hour, 0), Row(round, 0, round));
                await store.Windows.WriteAsync(new WindowKey(series[^1], Hour, 0), Row(round, 0, round));
            }
        });

        long[] seen = new long[3];
        for (int n = 0; n < 100; n++)
        {
            IReadOnlyList<HourRow> rows = await store.Counts.ReadHoursAsync(series, Hour, Hour + 1, true, s_go);
            Assert.Equal((series[0], series[^1], 300), (rows[0].Series, rows[^1].Series, rows.Count));
            Assert.All([rows[0], rows[^1]], row => Assert.Equal(row.Quarters[0], row.Minutes![0]));
            IReadOnlyList<DayRow> days = await store.Counts.ReadDaysAsync(series, Day, Day + 1, s_go);
            long[] now = [rows[0].Quarters[0], rows[^1].Quarters[0], days[0].Quarters.Sum()];
            Assert.All(now.Zip(seen), pair => Assert.InRange(pair.First, pair.Second, Interlocked.Read(ref begun)));
            seen = now;
        }

        await stop.CancelAsync();
        await writing;
        Assert.True(begun > 2);
    }

    /// <summary>An empty store.</summary>
    protected abstract Task<IStoreUnderTest> OpenAsync();
}
