using System.Globalization;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <content>Corrections, history, and what is stored of an hour.</content>
public abstract partial class LedgerContract
{
    // In the order of their bytes, which is not that of .NET: the last two would change places.
    private static readonly string[] s_series = ["ad:1", "ad:10", "ad:1|country:US", "campaign:7", "kind:ad", "page:é", "page:\uff5e", "page:\U0001f44d"];

    [Fact]
    public async Task A_correction_reads_back_whole_by_hour_and_by_series()
    {
        await using IStoreUnderTest store = await OpenAsync();
        CorrectionRow plain = Correction("ad:1", Hour, 0, 1);
        CorrectionRow full = Correction("page:\U0001f44d|country:US", Hour, 3, long.MaxValue) with
        {
            Cause = CorrectionCause.Rebuilt,
            State = CorrectionState.Dry,
            Before = [long.MaxValue, 0, 1, 2],
            After = [0, 0, 0, 0],
            Upto = long.MaxValue,
            At = 1_800_000_000_123,
            Detail = "minutes, day; 'quoted' é",
        };
        await store.Ledger.WriteCorrectionsAsync([full, plain], s_go);
        await store.ReopenAsync();

        Assert.Equivalent(new[] { plain, full }, await store.Ledger.ReadCorrectionsAsync(Hour, null, 10, s_go), strict: true);
        Assert.Equivalent(new[] { full }, await OfAsync(store, full.Key.Series), strict: true);
        Assert.Equivalent(new[] { plain }, await OfAsync(store, "ad:1"), strict: true);
        Assert.Empty(await OfAsync(store, "ad:"));
    }

    [Fact]
    public async Task A_row_of_the_same_run_and_window_takes_the_place_of_the_one_that_is_there()
    {
        await using IStoreUnderTest store = await OpenAsync();
        CorrectionRow row = Correction("ad:1", Hour, 0, 5);
        CorrectionRow[] states =
        [
            row, row with { State = CorrectionState.Dropped, Detail = null }, row with { After = [9, 9, 9, 9], Upto = 3 },
            row with { State = CorrectionState.Settled, After = [1, 1, 1, 1], Detail = "day" }, row with { State = CorrectionState.Settled, Detail = null },
        ];
        foreach (CorrectionRow state in states)
        {
            await store.Ledger.WriteCorrectionsAsync([state], s_go);
            Assert.Equivalent(new[] { state }, await store.Ledger.ReadCorrectionsAsync(Hour, null, 10, s_go), strict: true);
            Assert.Equivalent(new[] { state }, await OfAsync(store, "ad:1"), strict: true);
        }

        await store.Ledger.WriteCorrectionsAsync([row with { Run = 6 }, states[^1]], s_go);
        Assert.Equal([5, 6], (await store.Ledger.ReadCorrectionsAsync(Hour, null, 10, s_go)).Select(one => one.Run));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1_000)]
    public async Task The_ledger_of_an_hour_is_read_page_by_page_in_the_order_of_chain_series_and_run(int page)
    {
        await using IStoreUnderTest store = await OpenAsync();
        CorrectionRow[] expected = [.. from chain in new[] { 0, 2 } from series in s_series from run in new[] { 1L, 12 } select Correction(series, Hour, chain, run)];
        await store.Ledger.WriteCorrectionsAsync([.. expected.Reverse(), .. expected.Select(row => row with { Key = row.Key with { Hour = Hour + 1 } })], s_go);

        var found = new List<CorrectionRow>();
        IReadOnlyList<CorrectionRow> rows;
        do
        {
            rows = await store.Ledger.ReadCorrectionsAsync(Hour, found.LastOrDefault(), page, s_go);
            Assert.InRange(rows.Count, 0, page);
            found.AddRange(rows);
        }
        while (rows.Count > 0);

        Assert.Equal(expected.Select(row => (row.Key, row.Run)), found.Select(row => (row.Key, row.Run)));
        Assert.Empty(await store.Ledger.ReadCorrectionsAsync(Hour, null, 0, s_go));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1_000)]
    public async Task The_ledger_of_a_series_is_read_page_by_page_in_the_order_of_hour_chain_and_run(int page)
    {
        await using IStoreUnderTest store = await OpenAsync();
        CorrectionRow[] expected = [.. from hour in new[] { Hour, Hour + 1, Hour + 1_000, Hour + 9_000 } from chain in new[] { 0, 2 } from run in new[] { 1L, 12 }
            select Correction("ad:1", hour, chain, run)];
        await store.Ledger.WriteCorrectionsAsync(
            [.. expected.Reverse(), Correction("ad:1", Hour - 1, 0, 1), Correction("ad:1", Hour + 9_001, 0, 1), Correction("ad:10", Hour, 0, 1)], s_go);

        var found = new List<CorrectionRow>();
        IReadOnlyList<CorrectionRow> rows;
        do
        {
            rows = await store.Ledger.ReadCorrectionsOfAsync("ad:1", Hour, Hour + 9_001, found.LastOrDefault(), page, s_go);
            Assert.InRange(rows.Count, 0, page);
            found.AddRange(rows);
        }
        while (rows.Count > 0);

        Assert.Equal(expected.Select(row => (row.Key, row.Run)), found.Select(row => (row.Key, row.Run)));
        Assert.Equal(16, (await store.Ledger.ReadCorrectionsOfAsync("ad:1", Hour, Hour + 9_001, Correction("ad:1", Hour - 1, 0, 1), 100, s_go)).Count);
        Assert.Empty(await store.Ledger.ReadCorrectionsOfAsync("ad:1", Hour, Hour, null, 100, s_go));
        Assert.Equal(18, (await store.Ledger.ReadCorrectionsOfAsync("ad:1", int.MinValue, int.MaxValue, null, 100, s_go)).Count);
    }

    [Fact]
    public async Task History_is_kept_by_series_hour_chain_and_ordinal_and_what_was_kept_first_stands()
    {
        await using IStoreUnderTest store = await OpenAsync();
        HistoryRow[] rows = [.. from series in s_series[..3] from hour in new[] { Hour, Hour + 1_000 } from chain in new[] { 0, 2 } from ordinal in new[] { 1, 2 }
            select new HistoryRow(new WindowKey(series, hour, chain), ordinal, ordinal == 1 ? null : [.. Enumerable.Range(0, 60).Select(n => (long)n)], [ordinal, 0, long.MaxValue, 0])];
        await store.Ledger.WriteHistoryAsync([.. rows.Reverse()], s_go);
        await store.Ledger.WriteHistoryAsync([.. rows.Select(row => row with { Minutes = new long[60], Quarters = [9, 9, 9, 9] })], s_go);
        await store.Ledger.WriteHistoryAsync(rows, s_go);
        await store.ReopenAsync();

        Assert.Equivalent(rows[..8].Concat(rows[16..]), await store.Ledger.ReadHistoryAsync(["ad:1", "none", s_series[2]], Hour, Hour + 1_001, s_go), strict: true);
        Assert.Equivalent(rows[8..12], await store.Ledger.ReadHistoryAsync([s_series[1]], Hour, Hour + 1_000, s_go), strict: true);
        Assert.Empty(await store.Ledger.ReadHistoryAsync([s_series[1]], Hour + 1, Hour + 1_000, s_go));
        Assert.Empty(await store.Ledger.ReadHistoryAsync([], Hour, Hour + 1_000, s_go));
        Assert.Equal(24, (await store.Ledger.ReadHistoryAsync([.. s_series], int.MinValue, int.MaxValue, s_go)).Count);

        // Each has its mark, of what was kept first.
        Assert.Equal(rows[..8].Concat(rows[16..]).Select(HistoryMark.Of), await store.Ledger.ReadHistoryMarksAsync(["ad:1", "none", s_series[2]], Hour, Hour + 1_001, s_go));
        Assert.Equal(rows[8..12].Select(HistoryMark.Of), await store.Ledger.ReadHistoryMarksAsync([s_series[1]], Hour, Hour + 1_000, s_go));
        Assert.Empty(await store.Ledger.ReadHistoryMarksAsync([], Hour, Hour + 1_000, s_go));
        HistoryMark[] all = await store.Ledger.ScanHistoryMarksAsync(s_go).ToArrayAsync(s_go);
        Assert.Equal(rows.Select(HistoryMark.Of).OrderBy(mark => mark.ToString(), StringComparer.Ordinal), all.OrderBy(mark => mark.ToString(), StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_windows_of_an_hour_come_in_the_order_of_series_with_their_part_of_the_day()
    {
        await using IStoreUnderTest store = await OpenAsync();
        foreach (string series in s_series.Reverse())
        {
            await store.Windows.WriteAsync(new WindowKey(series, Hour, 2), Row(10, 20, 7, upto: 5));
            await store.Windows.WriteAsync(new WindowKey(series, Hour, 0), Row(10, 20, 1));
        }

        WindowRow full = Row(20, 59, 3, upto: 8);
        (full.Run, full.SetAside, full.Minutes) = ("r5", true, null);
        await store.Windows.WriteAsync(new WindowKey("total", Hour, 2), full);
        await store.Windows.WriteAsync(new WindowKey("ad:other-hour", Hour + 1, 2), Row(10, 1, 1));
        await store.Windows.WriteAsync(new WindowKey("ad:other-day", Hour + 24, 2), Row(10, 1, 1));
        await store.Windows.WriteAsync(new WindowKey("ad:other-chain", Hour, 1), Row(10, 1, 1));
        await store.ReopenAsync();

        StoredWindow[] windows = await store.Ledger.ReadWindowsAsync(Hour, 2, s_go).ToArrayAsync();

        Assert.Equal([.. s_series, "total"], windows.Select(window => window.Key.Series));
        Assert.All(windows, window => Assert.Equal((Hour, 2), (window.Key.Hour, window.Key.Chain)));
        Assert.All(windows[..^1], window =>
        {
            Assert.Equal([0, 7, 0, 0], window.Row.Quarters);
            Assert.Equal(7, window.Row.Minutes![20]);
            Assert.Equal((10, 5, false, null), (window.Row.Stamp, window.Row.Upto, window.Row.SetAside, window.Row.Run));
            Assert.Equal([0, 7, 0, 0], window.DayQuarters!);
        });
        Assert.Equal((20, 8, true, "r5", null), (windows[^1].Row.Stamp, windows[^1].Row.Upto, windows[^1].Row.SetAside, windows[^1].Row.Run, windows[^1].Row.Minutes));
        Assert.Equal([0, 0, 0, 3], windows[^1].DayQuarters!);
        Assert.Equal(["ad:other-hour"], (await store.Ledger.ReadWindowsAsync(Hour + 1, 2, s_go).ToArrayAsync()).Select(window => window.Key.Series));
        Assert.Equivalent(
            windows.OrderBy(window => window.Key.Series, StringComparer.Ordinal),
            (await store.Ledger.FindWindowsAsync([.. s_series, "total", "ad:other-hour", "ad:other-chain", "none"], Hour, 2, s_go)).OrderBy(window => window.Key.Series, StringComparer.Ordinal),
            strict: true);
        Assert.Empty(await store.Ledger.FindWindowsAsync([], Hour, 2, s_go));
    }

    [Fact]
    public async Task Windows_that_no_index_names_are_found_part_by_part_and_reconciliation_has_them_once_they_are_named()
    {
        await using IStoreUnderTest store = await OpenAsync();
        Assert.Empty(await UnnamedAsync(store));
        WindowKey[] unnamed = [new("ad:1|country:US", Hour + 1, 2), new("page:\U0001f44d", Hour, 0), new("total", Hour - 1_000, 1)];
        WindowKey[] named = [.. from series in s_series from hour in new[] { Hour, Hour + 1, Hour + 48 } select new WindowKey(series, hour, 3)];
        foreach (WindowKey key in unnamed.Concat(named))
        {
            await store.Windows.WriteAsync(key, Row(10, 20, 7, upto: 5));
        }

        Assert.Empty(await UnnamedAsync(store));
        foreach (WindowKey key in unnamed)
        {
            await UnnameAsync(store, key.Series, key.Hour / 24);
        }

        // Of a series that is named in another day, or for another chain where an index goes by chains, nothing else is meant.
        WindowKey[] found = await UnnamedAsync(store);
        Assert.Equal(unnamed, found.Intersect(unnamed).OrderBy(key => key.Series, StringComparer.Ordinal));
        Assert.All(found, key => Assert.Contains(unnamed, one => one.Series == key.Series && one.Hour / 24 == key.Hour / 24));
        foreach (WindowKey key in unnamed)
        {
            Assert.True(await store.Ledger.NameAsync(key, s_go));
            StoredWindow window = Assert.Single(await store.Ledger.ReadWindowsAsync(key.Hour, key.Chain, s_go).ToArrayAsync());
            Assert.Equal((key, 7, 7), (window.Key, window.Row.Clicks, window.DayQuarters!.Sum()));
        }

        Assert.All(found, key => Assert.True(store.Ledger.IsReached(key.Series)));
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.Ledger.FindUnnamedAsync(0, stop.Token).ToArrayAsync());
    }

    /// <summary>Takes the name of a series in a day away, as another program would, whatever its clock.</summary>
    protected abstract Task UnnameAsync(IStoreUnderTest store, string series, int day);

    private static async Task<WindowKey[]> UnnamedAsync(IStoreUnderTest store)
    {
        var found = new HashSet<WindowKey>();
        for (int part = 0; part < store.Ledger.UnnamedParts; part++)
        {
            found.UnionWith(await store.Ledger.FindUnnamedAsync(part, s_go).Select(one => one.Key).ToArrayAsync());
        }

        return [.. found];
    }

    /// <summary>Whoever reads holds a stretch of it: the memory of a reader does not grow with the hour.</summary>
    [Fact]
    public async Task A_large_hour_is_read_as_a_stream_and_can_be_broken_off()
    {
        await using IStoreUnderTest store = await OpenAsync();
        foreach (int[] some in Enumerable.Range(0, ManySeries).Chunk(2_000))
        {
            await Task.WhenAll(some.Select(n => store.Windows.WriteAsync(new WindowKey(NameOf(n), Hour, 0), Row(10, 5, n))));
        }

        long before = GC.GetTotalMemory(forceFullCollection: true), most = 0;
        int next = 0;
        await foreach (StoredWindow window in store.Ledger.ReadWindowsAsync(Hour, 0, s_go))
        {
            Assert.Equal((NameOf(next), (long)next), (window.Key.Series, window.Row.Clicks));
            if (++next % (ManySeries / 4) == 0)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
            }
        }

        Assert.Equal(ManySeries, next);
        Assert.InRange(most, long.MinValue, 24 << 20);

        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (StoredWindow _ in store.Ledger.ReadWindowsAsync(Hour, 0, stop.Token))
            {
                await stop.CancelAsync();
            }
        });
        await foreach (StoredWindow window in store.Ledger.ReadWindowsAsync(Hour, 0, s_go))
        {
            Assert.Equal(NameOf(0), window.Key.Series);
            break;
        }

        static string NameOf(int n) => string.Create(CultureInfo.InvariantCulture, $"ad:{n:D6}");
    }

    [Fact]
    public async Task Rows_can_be_written_and_read_at_the_same_time()
    {
        await using IStoreUnderTest store = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(lane => Task.Run(async () =>
        {
            for (int n = 0; n < 5; n++)
            {
                CorrectionRow[] rows = [.. Enumerable.Range(0, 40).Select(series => Correction($"ad:{series}", Hour, lane, n))];
                await store.Ledger.WriteCorrectionsAsync(rows, s_go);
                await store.Ledger.WriteCorrectionsAsync([.. rows.Select(row => row with { State = CorrectionState.Settled })], s_go);
                await store.Ledger.WriteHistoryAsync([.. rows.Select(row => new HistoryRow(row.Key, n + 1, null, row.Before))], s_go);
                Assert.All(
                    await store.Ledger.ReadCorrectionsAsync(Hour, Correction("", Hour, lane, 0), 40, s_go),
                    row => Assert.True(row.Key.Chain > lane || row.State == CorrectionState.Settled || row.Run > n));
            }
        })));

        IReadOnlyList<CorrectionRow> all = await store.Ledger.ReadCorrectionsAsync(Hour, null, 10_000, s_go);
        Assert.Equal(8 * 5 * 40, all.Count);
        Assert.All(all, row => Assert.Equal(CorrectionState.Settled, row.State));
        Assert.Equal(8 * 5, (await OfAsync(store, "ad:7")).Count);
        Assert.Equal(8 * 5 * 2, (await store.Ledger.ReadHistoryAsync(["ad:7", "ad:8"], Hour, Hour + 1, s_go)).Count);
    }

    [Fact]
    public async Task What_was_noted_of_a_day_stays_as_long_as_any_series_of_it()
    {
        const int Today = 20_000, First = Today * 24;
        await using IStoreUnderTest store = await OpenAsync(new Kept(TimeSpan.FromHours(2), TimeSpan.FromDays(3)));
        await store.ForgetAsync(At(0, 30));
        await store.Windows.WriteAsync(new WindowKey("ad:1", First, 0), Row(Micros(0), 0, 1));
        await store.Batches.WriteAsync(new BatchRows(0, 10, Micros(0), [First, First + 1], [], []), s_go);
        await store.Ledger.WriteFinalAsync(new HourFinal(First, 0, 10, 1, 0, [1], Micros(0) / 1000), s_go);
        await store.Ledger.WriteCorrectionsAsync([Correction("ad:2", First, 0, 1) with { At = Micros(0) / 1000 }], s_go);
        await store.Ledger.WriteHistoryAsync([new HistoryRow(new WindowKey("ad:2", First, 0), 1, null, [1, 0, 0, 0])], s_go);

        await store.ForgetAsync(At(40, 0));
        await store.Windows.WriteAsync(new WindowKey("ad:1", First, 0), Row(Micros(40), 0, 2)); // a late click
        await store.ForgetAsync(At(72 + 39, 0));
        Assert.Equal((2, 1, 1, 1, 1, 2), await KeptAsync(store, First));

        await store.ForgetAsync(At(72 + 41, 0));
        Assert.Equal((0, 0, 0, 0, 0, 0), await KeptAsync(store, First));

        static DateTimeOffset At(int hours, int minutes) => DateTimeOffset.UnixEpoch.AddDays(Today) + new TimeSpan(hours, minutes, 0);
        static long Micros(int hours) => At(hours, 30).ToUnixTimeMilliseconds() * 1000;
    }

    private static async Task<(int Hours, int Open, int Finals, int OfHour, int OfSeries, int History)> KeptAsync(IStoreUnderTest store, int hour) => (
        (await store.Ledger.ReadHoursAsync(hour, hour + 24, s_go)).Count,
        (await store.Ledger.ReadOpenHoursAsync(hour, hour + 24, 100, s_go)).Count,
        (await store.Ledger.ReadFinalsAsync(hour, hour + 24, s_go)).Count,
        (await store.Ledger.ReadCorrectionsAsync(hour, null, 100, s_go)).Count,
        (await store.Ledger.ReadCorrectionsOfAsync("ad:2", hour, hour + 24, null, 100, s_go)).Count,
        (await store.Ledger.ReadHistoryAsync(["ad:2"], hour, hour + 24, s_go)).Count
            + (await store.Ledger.ReadHistoryMarksAsync(["ad:2"], hour, hour + 24, s_go)).Count);

    private static Task<IReadOnlyList<CorrectionRow>> OfAsync(IStoreUnderTest store, string series) =>
        store.Ledger.ReadCorrectionsOfAsync(series, Hour - 24, Hour + 24, null, 100, s_go);

    private static CorrectionRow Correction(string series, int hour, int chain, long run) => new(
        run, new WindowKey(series, hour, chain), CorrectionCause.Missed, CorrectionState.Pending, [1, 2, 3, 4], [5, 6, 7, 8], 9, 10, "minutes");
}
