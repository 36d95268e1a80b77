using System.Globalization;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Reconciliation;

/// <summary>
/// Real clicks through the real silo; then somebody changes the store behind its back. Each change is found, named and corrected,
/// and what was right stays right.
/// </summary>
public class DamageTests
{
    private const int Clicks = 800;

    [Fact]
    public async Task Numbers_with_a_row_that_cannot_be_read_are_incomplete_and_not_final_until_a_run_has_put_it_right()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 300);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        long version = (await AgreeAsync(silo, truth)).Finality!.Version;
        long first = (await SumAsync(silo, from, from + 1, version)).Counts[0].Clicks;
        Assert.True(new StoreFile(data).Run($"UPDATE clicks_by_hour SET quarters = x'ff' WHERE series = 'total' AND hour = {from}") > 0);
        SeriesSums damaged = await SumAsync(silo, from, from + 1);
        Assert.Equal((true, null), (damaged.Incomplete, damaged.Finality));
        NotFinalException refused = await Assert.ThrowsAsync<NotFinalException>(() => SumAsync(silo, from, from + 1, version));
        Assert.Contains("set aside", refused.Message, StringComparison.Ordinal);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, from + 1)).State);
        SeriesSums mended = await SumAsync(silo, from, from + 1);
        Assert.Equal((false, first, (from + 1) * 60L), (mended.Incomplete, mended.Counts[0].Clicks, mended.Finality!.FinalUntil));
        Assert.Equal(first, (await SumAsync(silo, from, from + 1, version)).Counts[0].Clicks);
    }

    [Theory]
    [InlineData(RunMode.Direct)]
    [InlineData(RunMode.Republish)]
    public async Task Damage_to_rows_days_and_top_lists_is_found_named_and_corrected_and_holds(RunMode mode)
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data, mode);
        (Recount truth, int from, int to) = await AppendAsync(silo, Clicks);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        await AgreeAsync(silo, truth);

        var store = new StoreFile(data);
        string ad = $"ad:{truth.ByAd.MaxBy(pair => pair.Value).Key}";
        int hour = (int)store.Number($"SELECT hour FROM clicks_by_hour WHERE series = '{ad}' ORDER BY hour LIMIT 1");
        int chain = (int)store.Number($"SELECT chain FROM clicks_by_hour WHERE series = '{ad}' LIMIT 1");
        int day = hour / 24 * 24;
        string any = $"series = '{ad}' AND hour = {hour} AND chain = {chain}";
        string another = $"series = 'total' AND hour = {hour} AND chain = {chain}";
        (string Damage, string Series, CorrectionCause Cause)[] damages =
        [
            ($"DELETE FROM clicks_by_hour WHERE {any}", ad, CorrectionCause.StoreDamage),
            ($"UPDATE clicks_by_hour SET quarters = (SELECT quarters FROM clicks_by_hour WHERE {another}) WHERE {any}", ad, CorrectionCause.StoreDamage),
            ($"DELETE FROM clicks_by_hour WHERE {another}; DELETE FROM clicks_by_day WHERE series = 'total' AND day = {hour / 24} AND chain = {chain}", "total", CorrectionCause.Missed),
            ($"INSERT INTO clicks_by_hour SELECT 'ad:nobody', hour, chain, quarters, minutes, upto, stamp, 0, NULL, NULL FROM clicks_by_hour WHERE {any}; "
                + $"INSERT INTO clicks_by_day SELECT 'ad:nobody', day, chain, quarters, stamp, 0 FROM clicks_by_day WHERE series = '{ad}' AND day = {hour / 24} AND chain = {chain}; "
                + $"INSERT INTO series_by_day VALUES ({hour / 24}, 'ad:nobody')", "ad:nobody", CorrectionCause.Phantom),
            ($"INSERT INTO clicks_by_hour SELECT 'ad:unnamed', hour, chain, quarters, minutes, upto, stamp, 0, NULL, NULL FROM clicks_by_hour WHERE {any}", "ad:unnamed", CorrectionCause.StoreDamage),
            ($"INSERT INTO clicks_by_day SELECT 'ad:unnamed-day', day, chain, quarters, stamp, 0 FROM clicks_by_day WHERE series = '{ad}' AND day = {hour / 24} AND chain = {chain}", "ad:unnamed-day", CorrectionCause.StoreDamage),
            ($"DELETE FROM clicks_by_day WHERE series = '{ad}' AND day = {hour / 24} AND chain = {chain}", ad, CorrectionCause.StoreDamage),
            ($"DELETE FROM series_by_day WHERE series = '{ad}' AND day = {hour / 24}", ad, CorrectionCause.StoreDamage),
            ($"DELETE FROM tops WHERE start = {hour} AND slice = 1 AND chain = {chain}", ad, CorrectionCause.StoreDamage),
            ($"DELETE FROM tops WHERE start = {hour / 24} AND slice = 2 AND chain = {chain}", ad, CorrectionCause.StoreDamage),
            ($"UPDATE clicks_by_hour SET quarters = x'000501' WHERE {any}", ad, CorrectionCause.StoreDamage),
            ($"UPDATE clicks_by_day SET quarters = x'ff' WHERE series = '{ad}' AND day = {hour / 24} AND chain = {chain}", ad, CorrectionCause.StoreDamage),
            ($"UPDATE tops SET entries = x'ff' WHERE start = {hour} AND slice = 1 AND chain = {chain}", ad, CorrectionCause.StoreDamage),
        ];
        for (int n = 0; n < damages.Length; n++)
        {
            Assert.True(store.Run(damages[n].Damage) > 0, damages[n].Damage);
            if (n == 0)
            {
                Assert.True((await silo.RunAsync(day, day + 24, dryRun: true)).Corrections > 0, damages[n].Damage);
            }

            ReconciliationRun run = await silo.RunAsync(day, day + 24);
            Assert.True(run.State == RunState.Done && run.Corrections > 0, $"{damages[n].Damage}: {run}, {string.Join("; ", run.Troubles)}");
            IReadOnlyList<CorrectionRow> rows = [.. (await silo.Ledger.ReadCorrectionsAsync(hour, null, 10_000, CancellationToken.None)).Where(row => row.Run == run.Number)];
            Assert.All(rows, row => Assert.Equal(CorrectionState.Settled, row.State));
            CorrectionRow row = rows.First(row => row.Key.Series == damages[n].Series);
            Assert.True(row.Cause == damages[n].Cause, $"{damages[n].Damage}: {row.Cause} ({row.Detail})");
            Assert.Equal(0, (await silo.RunAsync(day, day + 24)).Corrections);
            await AgreeAsync(silo, truth);
        }

        // And the next click finds it right.
        string more = string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"late-1\",\"ad_id\":\"{ad[3..]}\",\"timestamp\":{(hour * 3_600_000L) + 1}}}");
        await silo.AppendAsync([more]);
        truth.Add(more);
        SeriesSums sums = await AgreeAsync(silo, truth);
        foreach (string invented in (string[])["ad:nobody", "ad:unnamed", "ad:unnamed-day"])
        {
            Assert.Equal(0, (await silo.Grains.GetGrain<ISeriesGrain>(0).SumAsync(new SeriesRange([invented], from * 60L, to * 60L), CancellationToken.None)).Counts[0].Clicks);
            Assert.Equal(0, (await silo.Grains.GetGrain<ISeriesGrain>(0).SumAsync(new SeriesRange([invented], day * 60L, (day + 24) * 60L), CancellationToken.None)).Counts[0].Clicks);
        }

        Assert.Contains(hour, sums.Finality!.Provisional);
    }

    [Fact]
    public async Task Windows_of_old_hours_that_have_no_name_are_found_named_and_corrected_though_nobody_asks_also_across_a_start()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);
        Recount truth;
        int from, to;
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data))
        {
            (truth, from, to) = await AppendAsync(silo, 300);
            Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        }

        string any = $"series = 'total' AND hour = {from}";
        Assert.True(store.Run($"INSERT INTO clicks_by_hour SELECT 'ad:unnamed', hour, chain, quarters, minutes, upto, stamp, 0, NULL, NULL FROM clicks_by_hour WHERE {any}") > 0);
        Assert.True(store.Run($"INSERT INTO clicks_by_day SELECT 'ad:unnamed-day', day, chain, quarters, stamp, 0 FROM clicks_by_day WHERE series = 'total' AND day = {from / 24}") > 0);
        Assert.Equal(1, store.Run($"DELETE FROM series_by_day WHERE series = 'total' AND day = {from / 24}"));
        store.Run($"INSERT INTO clicks_by_hour SELECT 'ad:of-no-chain', hour, 77, quarters, minutes, upto, stamp, 0, NULL, NULL FROM clicks_by_hour WHERE {any} LIMIT 1");
        store.Run("INSERT INTO clicks_by_hour SELECT 'ad:of-no-time', 100000000, chain, quarters, minutes, upto, stamp, 0, NULL, NULL FROM clicks_by_hour WHERE series = 'total' LIMIT 1");

        // Part by part, and where one silo stopped the next one goes on.
        await using (await LedgerSilo.StartAsync(data, sweepEvery: TimeSpan.FromSeconds(6)))
        {
            await Eventually.Async("some parts are done", () => Task.FromResult(Part() > 2), TimeSpan.FromMinutes(1));
        }

        int done = Part();
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data, sweepEvery: TimeSpan.FromSeconds(6)))
        {
            int first = Part();
            Assert.True(first == 0 || first >= done, $"it went on at part {first}, and {done} were done");
            await Eventually.Async(
                "all three are corrected",
                async () => (await silo.Ledger.ReadCorrectionsAsync(from, null, 10_000, CancellationToken.None)).Where(row => row.State == CorrectionState.Settled)
                    .Select(row => row.Key.Series).ToHashSet().IsSupersetOf(["ad:unnamed", "ad:unnamed-day", "total"]),
                TimeSpan.FromMinutes(1));
            await Eventually.Async("nothing is open", async () => (await silo.Ledger.ReadOpenHoursAsync(0, to + 24, 10, CancellationToken.None)).Count == 0, TimeSpan.FromMinutes(1));
            foreach (string invented in (string[])["ad:unnamed", "ad:unnamed-day"])
            {
                Assert.Equal(0, (await silo.Grains.GetGrain<ISeriesGrain>(0).SumAsync(new SeriesRange([invented], from / 24 * 1440L, ((to / 24) + 1) * 1440L), CancellationToken.None)).Counts[0].Clicks);
            }

            await AgreeAsync(silo, truth);
            Assert.All(await silo.Reconciliation.GetRunsAsync(null, 1000), run => Assert.Equal(RunState.Done, run.State));
        }

        int Part() => (int)store.Number("SELECT CAST(json_extract(CAST(payload AS TEXT), '$.Sweep.Part') AS INTEGER) FROM grain_state WHERE name = 'position'");
    }

    [Fact]
    public async Task An_hour_that_was_opened_by_a_part_of_the_search_that_died_is_recounted_soon_though_nothing_is_found_again()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);
        Recount truth;
        int from, to;
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data))
        {
            (truth, from, to) = await AppendAsync(silo, 100);
            Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
            await Eventually.Async(
                "late hours were looked at",
                async () => (await silo.Reconciliation.GetPositionAsync()).Through >= to && LateAt() > 0 && (await silo.Ledger.ReadOpenHoursAsync(0, to, 10, CancellationToken.None)).Count == 0,
                TimeSpan.FromMinutes(1));
        }

        // It has opened the hour of what it found, and dies while it names it.
        int chain = (int)store.Number($"SELECT chain FROM clicks_by_hour WHERE series = 'total' AND hour = {from} LIMIT 1");
        StrayWindow[] found = [new StrayWindow(new WindowKey("total", from, chain))];
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data, sweepEvery: TimeSpan.FromSeconds(6), ledger: inner => LedgerInBetween.Over(inner, (method, args) => method switch
        {
            nameof(ILedgerStore.FindUnnamedAsync) => found.ToAsyncEnumerable(),
            nameof(ILedgerStore.NameAsync) => NeverAsync((CancellationToken)args[1]!),
            _ => null,
        })))
        {
            await Eventually.Async("the hour is open", async () => (await silo.Ledger.ReadOpenHoursAsync(0, to, 10, CancellationToken.None)).Count == 1, TimeSpan.FromMinutes(1));
        }

        // As in Cassandra, where it has a name now: the next silo does not find it.
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data, sweepEvery: TimeSpan.FromSeconds(6), ledger: inner => LedgerInBetween.Over(inner, (method, _) =>
            method == nameof(ILedgerStore.FindUnnamedAsync) ? AsyncEnumerable.Empty<StrayWindow>() : null)))
        {
            await Eventually.Async("nothing is open", async () => (await silo.Ledger.ReadOpenHoursAsync(0, to, 10, CancellationToken.None)).Count == 0, TimeSpan.FromMinutes(1));
            await AgreeAsync(silo, truth);
        }

        long LateAt() => store.Number("SELECT CAST(json_extract(CAST(payload AS TEXT), '$.LateAt') AS INTEGER) FROM grain_state WHERE name = 'position'");

        static async Task<bool> NeverAsync(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return true;
        }
    }

    [Fact]
    public async Task A_row_without_a_name_that_no_run_would_lower_leaves_its_hour_final_and_is_named_until_the_manifest_is_back()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);
        Recount truth;
        int from, to;
        long version;
        const string Entry = "manifest/chain-0000/000000000001.json";
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data))
        {
            (truth, from, to) = await AppendAsync(silo, 300);
            Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
            await Eventually.Async(
                "its hours are planned, and clicks moved into the table",
                async () => (await silo.Reconciliation.GetPositionAsync()).Through >= to && File.Exists(data.File("archive/manifest/chain-0000/000000000002.json")),
                TimeSpan.FromMinutes(1));
            version = (await AgreeAsync(silo, truth)).Finality!.Version;
        }

        int hour = (int)store.Number("SELECT hour FROM clicks_by_hour WHERE series = 'total' AND chain = 0 ORDER BY hour LIMIT 1");
        Assert.Equal(1, store.Run($"INSERT INTO clicks_by_hour SELECT 'ad:unnamed', hour, chain, quarters, minutes, upto, stamp, 0, NULL, NULL FROM clicks_by_hour WHERE series = 'total' AND hour = {hour} AND chain = 0"));
        File.Move(data.File("archive/" + Entry), data.File("gone"));
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data, sweepEvery: TimeSpan.FromSeconds(6)))
        {
            for (int round = 1; round <= 2; round++)
            {
                await Eventually.Async("a run names it", async () => (await NamedAsync(silo)).Length >= round, TimeSpan.FromMinutes(1));
                Assert.Empty(await silo.Ledger.ReadOpenHoursAsync(0, to, 10, CancellationToken.None));
            }

            Assert.All(await NamedAsync(silo), trouble => Assert.Equal((hour, 0, "archive_incomplete", true), (trouble.Hour, trouble.Chain, trouble.Code, trouble.Message.Contains(Entry, StringComparison.Ordinal))));
            Assert.Equal(truth.Total, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
            Assert.Empty((await SumAsync(silo, from, to)).Finality!.Provisional);

            File.Move(data.File("gone"), data.File("archive/" + Entry));
            await Eventually.Async(
                "it is corrected",
                async () => (await silo.Ledger.ReadCorrectionsAsync(hour, null, 1000, CancellationToken.None)).Any(row => (row.Key.Series, row.State, row.Cause) == ("ad:unnamed", CorrectionState.Settled, CorrectionCause.StoreDamage)),
                TimeSpan.FromMinutes(3));
            await Eventually.Async("nothing is open", async () => (await silo.Ledger.ReadOpenHoursAsync(0, to, 10, CancellationToken.None)).Count == 0, TimeSpan.FromMinutes(1));
            await AgreeAsync(silo, truth);
        }

        static async Task<RunTrouble[]> NamedAsync(LedgerSilo silo) =>
            [.. (await silo.Reconciliation.GetRunsAsync(null, 1000)).Where(run => run.EndedAt is not null).SelectMany(run => run.Troubles).Where(trouble => trouble.Message.Contains("ad:unnamed", StringComparison.Ordinal))];
    }

    [Fact]
    public async Task Floors_of_top_lists_that_were_raised_are_found_and_the_ranking_is_exact_again()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int first, int last) = await ReconciledDaysAsync(silo, 300);
        var store = new StoreFile(data);
        int lists = store.Run("UPDATE tops SET floor = 5000");
        Assert.False((await TopAsync()).Exact);
        Assert.True((await silo.RunAsync(first, last, dryRun: true)).Corrections > 0);
        Assert.Equal(lists, store.Number("SELECT count(*) FROM tops WHERE floor = 5000"));

        ReconciliationRun run = await silo.RunAsync(first, last);
        Assert.True(run is { State: RunState.Done, ClicksChanged: 0, Corrections: > 0 }, $"{run}: {string.Join("; ", run.Troubles)}");
        Assert.Equal(0, store.Number("SELECT count(*) FROM tops WHERE floor > 0"));
        Assert.Equal(["day's floor", "floor"], store.Texts($"SELECT DISTINCT detail FROM corrections WHERE run = {run.Number} ORDER BY detail"));
        Assert.Equal(0, (await silo.RunAsync(first, last)).Corrections);
        Assert.True((await TopAsync()).Exact);
        await AgreeAsync(silo, truth);

        Task<TopTargets> TopAsync() => silo.Grains.GetGrain<ISeriesGrain>(0).TopAsync(
            new TopQuestion(ClickAggregator.Clicks.TargetKind.Ad, first * 60L, last * 60L, 50), CancellationToken.None);
    }

    [Fact]
    public async Task What_is_wrong_with_the_list_of_a_day_is_told_once_by_a_dry_run_too()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int first, int last) = await ReconciledDaysAsync(silo, 300);
        var store = new StoreFile(data);
        Assert.True(store.Run($"UPDATE tops SET entries = x'ff' WHERE slice = {(int)TopSlice.Day} AND start = {first / 24}") > 0);
        ReconciliationRun dry = await silo.RunAsync(first, last, dryRun: true);
        ReconciliationRun run = await silo.RunAsync(first, last);
        Assert.True(run.Corrections > 0);
        Assert.Equal(Told(run), Told(dry));
        Assert.Equal(run.Corrections, dry.Corrections);
        Assert.Equal(0, (await silo.RunAsync(first, last, dryRun: true)).Corrections);
        await AgreeAsync(silo, truth);

        string[] Told(ReconciliationRun of) => [.. store.Texts($"SELECT series || ' ' || chain || ' ' || detail FROM corrections WHERE run = {of.Number} ORDER BY 1")];
    }

    [Fact]
    public async Task Hours_that_are_not_noted_any_more_are_found_by_their_archived_clicks_and_noted_again()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 300);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        IReadOnlyList<HourMark> noted = await silo.Ledger.ReadHoursAsync(from, to, CancellationToken.None);
        var store = new StoreFile(data);
        Assert.Equal(noted.Count, store.Run("DELETE FROM hours"));
        Assert.Equal(noted.Count, (await silo.RunAsync(from, to, dryRun: true)).Corrections);
        Assert.Equal(0, store.Number("SELECT count(*) FROM hours"));

        ReconciliationRun run = await silo.RunAsync(from, to);
        Assert.Equal((RunState.Done, noted.Count, 0), (run.State, run.Corrections, run.ClicksChanged));
        foreach (HourMark mark in noted)
        {
            CorrectionRow row = Assert.Single(
                await silo.Ledger.ReadCorrectionsAsync(mark.Hour, null, 10_000, CancellationToken.None), row => row.Run == run.Number && row.Key.Chain == mark.Chain);
            Assert.Equal((CorrectionCause.StoreDamage, CorrectionState.Settled, "hour"), (row.Cause, row.State, row.Detail));
            Assert.Equal(row.Before, row.After);
        }

        Assert.Equal(noted.Select(mark => (mark.Hour, mark.Chain)), (await silo.Ledger.ReadHoursAsync(from, to, CancellationToken.None)).Select(mark => (mark.Hour, mark.Chain)));
        Assert.Empty(await silo.Ledger.ReadOpenHoursAsync(from, to, 1000, CancellationToken.None));
        Assert.Equal(0, (await silo.RunAsync(from, to)).Corrections);
        await AgreeAsync(silo, truth);

        // Clicks are taken back in hours that nobody notes, too.
        store.Run("DELETE FROM hours");
        string ad = truth.ByAd.MaxBy(pair => pair.Value).Key;
        var filter = new InvalidationFilter(from * 3_600_000L, to * 3_600_000L, ClickAggregator.Clicks.TargetKind.Ad, ad);
        Invalidation taken = await silo.Reconciliation.InvalidateAsync(new InvalidationRequest(filter, "a robot", false, "somebody"));
        Assert.Equal(-truth.ByAd[ad], (await silo.EndedAsync(taken.Run)).ClicksChanged);
    }

    [Fact]
    public async Task A_note_of_an_hour_that_names_offsets_beyond_its_log_or_before_its_clicks_holds_up_no_run_and_is_put_right()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 2_000);
        await silo.SettledAsync(from, to);
        IReadOnlyList<HourMark> noted = await silo.Ledger.ReadHoursAsync(from, to, CancellationToken.None);
        HourMark[] raised = [noted[0], noted[^1]];
        var store = new StoreFile(data);
        foreach (HourMark mark in raised)
        {
            Assert.Equal(1, store.Run($"UPDATE hours SET upto = upto + 100000 WHERE hour = {mark.Hour} AND chain = {mark.Chain}"));
        }

        // One of them is open for that, and an hour without a click is noted as one that has some.
        int empty = to++;
        HourMark lowered = noted[1];
        Assert.NotEqual(lowered, raised[1]);
        Assert.Equal(1, store.Run($"UPDATE hours SET upto = 1, stamp = stamp + {TimeSpan.MicrosecondsPerHour} WHERE hour = {lowered.Hour} AND chain = {lowered.Chain}"));
        store.Run($"INSERT INTO open_hours SELECT hour, chain, upto, stamp, 0 FROM hours WHERE hour = {raised[0].Hour} AND chain = {raised[0].Chain}");
        store.Run($"INSERT INTO hours VALUES ({empty}, {raised[0].Chain}, 100000, 1); INSERT INTO open_hours VALUES ({empty}, {raised[0].Chain}, 100000, 1, 0)");

        ReconciliationRun dry = await silo.RunAsync(from, to, dryRun: true);
        Assert.Equal((RunState.Done, 4), (dry.State, dry.Corrections));
        ReconciliationRun run = await silo.RunAsync(from, to);
        Assert.Equal((RunState.Done, 4, 0), (run.State, run.Corrections, run.ClicksChanged));
        foreach ((int hour, int chain) in raised.Append(lowered).Select(mark => (mark.Hour, mark.Chain)).Append((empty, raised[0].Chain)))
        {
            CorrectionRow row = Assert.Single(
                await silo.Ledger.ReadCorrectionsAsync(hour, null, 10_000, CancellationToken.None), row => row.Run == run.Number && row.Key.Chain == chain);
            Assert.Equal((CorrectionCause.StoreDamage, CorrectionState.Settled, "hour"), (row.Cause, row.State, row.Detail));
        }

        Assert.All(await silo.Ledger.ReadHoursAsync(from, to, CancellationToken.None), mark => Assert.InRange(mark.Upto, mark.Hour == empty ? 0 : 2, truth.Total));
        Assert.Empty(await silo.Ledger.ReadOpenHoursAsync(from, to, 1000, CancellationToken.None));
        Assert.Equal(0, (await silo.RunAsync(from, to)).Corrections);
        await AgreeAsync(silo, truth);
    }

    [Fact]
    public async Task A_row_that_says_it_has_more_than_was_counted_or_less_is_put_right_before_the_next_click_comes()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 300);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        var store = new StoreFile(data);
        int changed = store.Run("UPDATE clicks_by_hour SET upto = CASE hour % 3 WHEN 0 THEN upto + 100000 WHEN 1 THEN 0 ELSE 9223372036854775807 END WHERE series IN ('total', 'kind:ad')");
        ReconciliationRun run = await silo.RunAsync(from, to);
        Assert.Equal((RunState.Done, changed, 0), (run.State, run.Corrections, run.ClicksChanged));
        Assert.Equal(["upto"], store.Texts($"SELECT DISTINCT detail FROM corrections WHERE run = {run.Number}"));
        Assert.Equal(0, (await silo.RunAsync(from, to)).Corrections);
        await AgreeAsync(silo, truth);

        string click = string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"next-1\",\"ad_id\":\"next\",\"timestamp\":{(from * 3_600_000L) + 1}}}");
        await silo.AppendAsync([click]);
        Assert.Equal(truth.Total + 1, (await SumAsync(silo, from, to)).Counts[0].Clicks);
    }

    [Fact]
    public async Task A_day_that_says_it_is_damaged_though_none_of_its_hours_is_is_put_right()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 300);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        var store = new StoreFile(data);
        int altered = store.Run("UPDATE clicks_by_day SET set_aside = 1 WHERE series IN ('total', 'kind:ad')");
        Assert.True(altered > 0);
        ReconciliationRun run = await silo.RunAsync(from, to);
        Assert.Equal((RunState.Done, altered, 0), (run.State, run.Corrections, run.ClicksChanged));
        Assert.Equal(["day"], store.Texts($"SELECT DISTINCT detail FROM corrections WHERE run = {run.Number}"));
        Assert.Equal(0, store.Number("SELECT count(*) FROM clicks_by_day WHERE set_aside <> 0"));
        Assert.Equal(0, (await silo.RunAsync(from, to)).Corrections);
        await AgreeAsync(silo, truth);
    }

    [Theory]
    [InlineData(RunMode.Direct)]
    [InlineData(RunMode.Republish)]
    public async Task Numbers_at_a_version_stay_as_they_were_and_clicks_that_are_taken_back_come_back(RunMode mode)
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data, mode);
        (Recount truth, int from, int to) = await AppendAsync(silo, 500);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        SeriesSums first = await AgreeAsync(silo, truth);
        Assert.Equal(to * 60L, first.Finality!.FinalUntil);
        long version = first.Finality.Version;

        // A late click: the version is told while it waits for its run, by what its rows keep, and by nothing that somebody put there.
        var store = new StoreFile(data);
        string late = store.Texts($"SELECT substr(series, 4) FROM clicks_by_hour WHERE hour = {from} AND series LIKE 'ad:%' AND series NOT LIKE '%|%'")[0];
        string more = string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"late-1\",\"ad_id\":\"{late}\",\"timestamp\":{(from * 3_600_000L) + 1}}}");
        await silo.AppendAsync([more]);
        SeriesSums waiting = await SumAsync(silo, from, to);
        Assert.Equal((truth.Total + 1, from * 60L), (waiting.Counts[0].Clicks, waiting.Finality!.FinalUntil));
        Assert.Equal(truth.Total, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
        Assert.Equal(1, store.Run($"UPDATE clicks_by_hour SET at_final = x'000102030405060708' || substr(at_final, 10) WHERE hour = {from} AND series = 'total' AND at_final IS NOT NULL"));
        await Assert.ThrowsAsync<NotFinalException>(() => SumAsync(silo, from, to, version));
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, from + 1)).State);
        Assert.Equal(truth.Total + 1, (await SumAsync(silo, from, to)).Counts[0].Clicks);
        Assert.Equal(truth.Total, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);

        // Clicks that are taken back.
        string ad = truth.ByAd.MaxBy(pair => pair.Value).Key;
        var filter = new InvalidationFilter(from * 3_600_000L, to * 3_600_000L, ClickAggregator.Clicks.TargetKind.Ad, ad);
        Invalidation dry = await silo.Reconciliation.InvalidateAsync(new InvalidationRequest(filter, "a robot", true, null));
        Assert.Equal(-truth.ByAd[ad], (await silo.EndedAsync(dry.Run)).ClicksChanged);
        Assert.Equal(truth.Total + 1, (await SumAsync(silo, from, to)).Counts[0].Clicks);
        Invalidation taken = await silo.Reconciliation.InvalidateAsync(new InvalidationRequest(filter, "a robot", false, "somebody"));
        ReconciliationRun run = await silo.EndedAsync(taken.Run);
        Assert.Equal(-truth.ByAd[ad], run.ClicksChanged);
        Assert.Equal(truth.Total + 1 - truth.ByAd[ad], (await SumAsync(silo, from, to)).Counts[0].Clicks);
        Assert.Equal(truth.Total, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
        Invalidation revoked = (await silo.Reconciliation.RevokeAsync(taken.Number, "somebody"))!;
        await silo.EndedAsync(revoked.RevokingRun!.Value);
        Assert.Equal(truth.Total + 1, (await SumAsync(silo, from, to)).Counts[0].Clicks);
        Assert.Equal(truth.Total, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
    }

    [Fact]
    public async Task Counts_of_a_version_whose_kept_rows_are_gone_or_altered_are_refused_and_named()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 200);
        await silo.RunAsync(from, to);

        // The schedule's own run would keep more rows of the history meanwhile.
        await Eventually.Async(
            "its hours are planned, and no run is under way",
            async () => (await silo.Reconciliation.GetPositionAsync()).Through >= to && (await silo.Reconciliation.GetRunsAsync(null, 1000)).All(run => run.State > RunState.Running),
            TimeSpan.FromMinutes(1));
        long version = (await AgreeAsync(silo, truth)).Finality!.Version;
        string more = string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"late-1\",\"ad_id\":\"late\",\"timestamp\":{(from * 3_600_000L) + 1}}}");
        await silo.AppendAsync([more]);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, from + 1)).State);
        long then = (await SumAsync(silo, from, to, version)).Counts[0].Clicks;
        Assert.Equal(truth.Total, then);

        var store = new StoreFile(data);
        store.Run("CREATE TABLE kept AS SELECT * FROM history");
        foreach ((string damage, string what) in ((string, string)[])[
            ("DELETE FROM history WHERE series = 'total'", "gone"),
            ("UPDATE history SET quarters = x'0001' WHERE series = 'total'", "not what was written"),
            ("UPDATE history SET minutes = x'0001' WHERE series = 'total'", "not what was written")])
        {
            Assert.Equal(1, store.Run(damage));
            HistoryDamagedException refused = await Assert.ThrowsAsync<HistoryDamagedException>(() => SumAsync(silo, from, to, version));
            Assert.Contains("what total had in the hour ", refused.Message, StringComparison.Ordinal);
            Assert.Contains(what, refused.Message, StringComparison.Ordinal);
            Assert.Equal(truth.Total + 1, (await SumAsync(silo, from, to)).Counts[0].Clicks);
            Assert.Equal(truth.Total + 1, (await SumAsync(silo, from, to, version + 1)).Counts[0].Clicks);
            store.Run("DELETE FROM history; INSERT INTO history SELECT * FROM kept");
            Assert.Equal(then, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
        }

        // Rows that an older build kept have no mark.
        Assert.True(store.Run("DELETE FROM history_marks") > 0);
        Assert.Equal(then, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
    }

    [Fact]
    public async Task Kept_counts_that_are_gone_with_their_marks_are_named_by_a_run_and_versions_before_are_refused_until_they_are_back()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data, sweepEvery: TimeSpan.FromSeconds(6));
        (Recount truth, int from, int to) = await AppendAsync(silo, 200);
        await silo.RunAsync(from, to);
        await Eventually.Async(
            "its hours are planned, and no run is under way",
            async () => (await silo.Reconciliation.GetPositionAsync()).Through >= to && (await silo.Reconciliation.GetRunsAsync(null, 1000)).All(run => run.State > RunState.Running),
            TimeSpan.FromMinutes(1));
        long version = (await AgreeAsync(silo, truth)).Finality!.Version;
        string more = string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"late-1\",\"ad_id\":\"late\",\"timestamp\":{(from * 3_600_000L) + 1}}}");
        await silo.AppendAsync([more]);
        truth.Add(more);
        ReconciliationRun run = await silo.RunAsync(from, from + 1);
        Assert.Equal(RunState.Done, run.State);
        Assert.Equal(truth.Total - 1, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);

        var store = new StoreFile(data);
        store.Run("CREATE TABLE kept AS SELECT * FROM history; CREATE TABLE kept_marks AS SELECT * FROM history_marks");
        Assert.True(store.Run("DELETE FROM history; DELETE FROM history_marks") > 0);
        await Eventually.Async(
            "a run says so",
            async () => (await silo.Reconciliation.GetRunsAsync(null, 1000)).SelectMany(one => one.Troubles)
                .Any(trouble => trouble.Code == "history_gone" && trouble.Message.StartsWith($"run {run.Number} kept", StringComparison.Ordinal)),
            TimeSpan.FromMinutes(1));
        HistoryDamagedException refused = await Assert.ThrowsAsync<HistoryDamagedException>(() => SumAsync(silo, from, to, version));
        Assert.Contains($"run {run.Number} kept", refused.Message, StringComparison.Ordinal);
        SeriesSums now = await AgreeAsync(silo, truth);
        Assert.Equal(truth.Total, (await SumAsync(silo, from, to, now.Finality!.Version)).Counts[0].Clicks);
        Assert.Equal(0, (await SumAsync(silo, from - 24, from, version)).Counts[0].Clicks);

        store.Run("INSERT INTO history SELECT * FROM kept; INSERT INTO history_marks SELECT * FROM kept_marks");
        await Eventually.Async("the search has come by again", async () => (await silo.Reconciliation.GetPositionAsync()).Lost is null, TimeSpan.FromMinutes(1));
        Assert.Equal(truth.Total - 1, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
        await AgreeAsync(silo, truth);

        // A finalisation that is gone says nothing of what was kept for it.
        Assert.True(store.Run($"DELETE FROM final_hours WHERE hour = {from}") > 0);
        Assert.Contains((await silo.RunAsync(from, to)).Troubles, trouble => trouble.Code == "final_gone");
        ReconciliationRun searching = await silo.Reconciliation.StartAsync(new RunRequest(from, to, RunMode.Direct, false, "test", Search: true));
        ReconciliationRun searched = await silo.EndedAsync(searching.Number);
        Assert.Equal((RunState.Done, searched.Search!.Parts), (searched.State, searched.Search.PartsDone));
        Assert.Null((await silo.Reconciliation.GetPositionAsync()).Lost);
    }

    [Fact]
    public async Task A_finalisation_that_is_gone_is_named_by_the_next_run_and_versions_before_it_are_refused_not_invented()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data, lateEvery: TimeSpan.FromSeconds(1));
        (Recount truth, int from, int to) = await AppendAsync(silo, 300);
        ReconciliationRun first = await silo.RunAsync(from, to);
        long version = (await AgreeAsync(silo, truth)).Finality!.Version;
        Assert.Equal(truth.Total, (await SumAsync(silo, from, to, version)).Counts[0].Clicks);
        await Eventually.Async("its hours are planned", async () => (await silo.Reconciliation.GetPositionAsync()).Through >= to, TimeSpan.FromMinutes(1));
        var store = new StoreFile(data);
        long[] hours = [.. store.Texts("SELECT DISTINCT CAST(hour AS TEXT) FROM final_hours ORDER BY hour").Select(hour => long.Parse(hour, CultureInfo.InvariantCulture))];

        // Nobody asks: the next look at late hours finds it.
        int gone = store.Run($"DELETE FROM final_hours WHERE hour = {hours[0]}");
        await SaidAsync((int)hours[0], gone, "its row of final_hours is gone");
        Assert.Equal(gone, store.Number($"SELECT count(*) FROM final_hours WHERE hour = {hours[0]}"));
        await Assert.ThrowsAsync<NotFinalException>(() => SumAsync(silo, from, to, version));
        await AgreeAsync(silo, truth);
        long now = (await silo.Reconciliation.GetPositionAsync()).Version;
        Assert.Equal(truth.Total, (await SumAsync(silo, from, to, now)).Counts[0].Clicks);

        // It was opened before anybody looked, as a late click does, or a start over Cassandra: the runs know how many there were.
        store.Run($"INSERT INTO open_hours SELECT hour, chain, upto, 1, 0 FROM final_hours WHERE hour = {hours[^1]}; DELETE FROM final_hours WHERE hour = {hours[^1]}");
        await Eventually.Async(
            "a run says so",
            async () => (await silo.Reconciliation.GetRunsAsync(null, 1000)).Any(run => run.Troubles.Any(trouble => trouble.Code == "final_gone" && trouble.Message.Contains("in no row of final_hours any more", StringComparison.Ordinal))),
            TimeSpan.FromMinutes(1));
        await Eventually.Async("it is final again", async () => (await silo.Ledger.ReadOpenHoursAsync(0, to, 10, CancellationToken.None)).Count == 0, TimeSpan.FromMinutes(1));
        await Assert.ThrowsAsync<NotFinalException>(() => SumAsync(silo, (int)hours[^1], to, version));
        await AgreeAsync(silo, truth);

        async Task SaidAsync(int hour, int chains, string what) => await Eventually.Async(
            $"a run says that {what}",
            async () => (await silo.Reconciliation.GetRunsAsync(null, 1000)).Where(run => run.Number > first.Number && run.EndedAt is not null)
                .SelectMany(run => run.Troubles).Count(trouble => trouble.Hour == hour && trouble.Code == "final_gone" && trouble.Message.Contains(what, StringComparison.Ordinal)) == chains,
            TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_finalisation_that_is_gone_is_named_though_a_click_opens_its_hour_first_and_no_version_is_told_wrongly()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 200);
        await silo.SettledAsync(from, to);
        string ad = truth.ByAd.MaxBy(pair => pair.Value).Key;
        int late = 0;
        long first = (await AgreeAsync(silo, truth)).Finality!.Version;
        long second = await LateAsync();
        Assert.Equal(truth.Total - 1, await TotalAsync(first));

        // The click that comes next opens the hour as if it had been without a click.
        var store = new StoreFile(data);
        Assert.True(store.Run($"DELETE FROM final_hours WHERE hour = {from}") > 0);
        long third = await LateAsync("final_gone");
        await Assert.ThrowsAsync<NotFinalException>(() => TotalAsync(first));
        await Assert.ThrowsAsync<NotFinalException>(() => TotalAsync(second));
        Assert.Equal(truth.Total, await TotalAsync(third));

        // What was kept for the finalisations that are gone is not taken for what is kept now.
        long fourth = await LateAsync();
        Assert.Equal(truth.Total - 1, await TotalAsync(third));
        Assert.Equal(truth.Total, await TotalAsync(fourth));
        await Assert.ThrowsAsync<NotFinalException>(() => TotalAsync(second));

        async Task<long> LateAsync(string? trouble = null)
        {
            string click = string.Create(CultureInfo.InvariantCulture, $"{{\"click_id\":\"late-{late++}\",\"ad_id\":\"{ad}\",\"timestamp\":{(from * 3_600_000L) + 1}}}");
            await silo.AppendAsync([click]);
            truth.Add(click);
            IReadOnlyList<RunTrouble> troubles = (await silo.RunAsync(from, from + 1)).Troubles;
            Assert.Equal(trouble is null ? [] : [trouble], troubles.Select(one => one.Code).Distinct());
            Assert.Equal(trouble is not null, troubles.Any(one => one.Message.Contains($"; a click may have opened {DateTimeOffset.FromUnixTimeSeconds(from * 3600L):yyyy-MM-ddTHH}", StringComparison.Ordinal)));
            return (await AgreeAsync(silo, truth)).Finality!.Version;
        }

        async Task<long> TotalAsync(long version) => (await SumAsync(silo, from, to, version)).Counts[0].Clicks;
    }

    [Fact]
    public async Task A_run_that_is_asked_for_names_a_finalisation_that_is_gone()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 100);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        long version = (await AgreeAsync(silo, truth)).Finality!.Version;
        await Eventually.Async("its hours are planned", async () => (await silo.Reconciliation.GetPositionAsync()).Through >= to, TimeSpan.FromMinutes(1));
        var store = new StoreFile(data);
        int gone = store.Run($"DELETE FROM final_hours WHERE hour = {from}");
        await Assert.ThrowsAsync<NotFinalException>(() => SumAsync(silo, from, to, version));
        ReconciliationRun run = await silo.RunAsync(from, from + 1);
        Named(run);
        Assert.Equal(gone, store.Number($"SELECT count(*) FROM final_hours WHERE hour = {from}"));
        await Assert.ThrowsAsync<NotFinalException>(() => SumAsync(silo, from, to, version));
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, from + 1)).State);
        await AgreeAsync(silo, truth);

        // A start over Cassandra has opened it before, and so may the search for rows without a name.
        string[] chains = [.. store.Texts($"SELECT CAST(chain AS TEXT) FROM final_hours WHERE hour = {to - 1}")];
        gone = store.Run($"DELETE FROM final_hours WHERE hour = {to - 1}");
        foreach (string chain in chains)
        {
            await silo.Ledger.ReopenAsync(to - 1, int.Parse(chain, CultureInfo.InvariantCulture), version, CancellationToken.None);
        }

        Assert.Equal(gone, (await silo.Ledger.ReadOpenHoursAsync(to - 1, to, 10, CancellationToken.None)).Count(mark => mark.Upto == 0));
        run = await silo.RunAsync(to - 1, to);
        Named(run);
        await Assert.ThrowsAsync<NotFinalException>(() => SumAsync(silo, to - 1, to, version));
        await AgreeAsync(silo, truth);

        // With the run that made the hours final before, which verify takes for told from then on.
        void Named(ReconciliationRun run)
        {
            Assert.Equal(RunState.DoneInPart, run.State);
            Assert.Equal(gone, run.Troubles.Count(trouble => trouble.Code == "final_gone" && trouble.Message.Contains("its row of final_hours is gone", StringComparison.Ordinal)));
            Assert.Contains(run.Troubles, trouble => trouble.Code == "final_gone" && trouble.Message.Contains("in no row of final_hours any more", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_object_that_was_altered_or_is_gone_is_named_and_nothing_is_lowered_on_its_account()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data);
        (Recount truth, int from, int to) = await AppendAsync(silo, 300);
        Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
        string[] files = Directory.GetFiles(data.File("archive"), "*.parquet", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            byte[] content = await File.ReadAllBytesAsync(file);
            content[content.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, content);
        }

        ReconciliationRun altered = await silo.RunAsync(from, to);
        Assert.Equal(RunState.DoneInPart, altered.State);
        Assert.All(altered.Troubles, trouble => Assert.Equal("archive_damaged", trouble.Code));
        Assert.Contains(altered.Troubles, trouble => trouble.Message.Contains(".parquet was altered", StringComparison.Ordinal));
        await AgreeAsync(silo, truth);
        Array.ForEach(files, File.Delete);
        ReconciliationRun gone = await silo.RunAsync(from, to);
        Assert.Contains(gone.Troubles, trouble => trouble.Message.Contains(".parquet is gone", StringComparison.Ordinal));
        await AgreeAsync(silo, truth);
    }

    [Fact]
    public async Task Entries_of_the_manifest_that_were_altered_or_are_gone_are_named_by_the_next_run_and_the_status_also_after_a_start()
    {
        using var data = new DataFolder();
        List<string> lines = [.. RealClicks.Lines.Take(300)];
        Recount truth = Recount.Of(lines);
        (int from, int to) = Hours(truth);
        string altered = "manifest/chain-0000/000000000001.json";
        string gone = "manifest/chain-0001/000000000001.json";
        byte[] was;
        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data))
        {
            await silo.AppendAsync(lines);
            Assert.Equal(RunState.Done, (await silo.RunAsync(from, to)).State);
            await Eventually.Async(
                "clicks moved into the table",
                () => Task.FromResult(Enumerable.Range(0, 2).All(chain => File.Exists(data.File($"archive/manifest/chain-000{chain}/000000000002.json")))),
                TimeSpan.FromMinutes(1));
            was = await File.ReadAllBytesAsync(data.File("archive/" + altered));
            string text = System.Text.Encoding.UTF8.GetString(was);
            await File.WriteAllTextAsync(data.File("archive/" + altered), text.Replace("\"bytes\": ", "\"bytes\": 1", StringComparison.Ordinal));
            File.Move(data.File("archive/" + gone), data.File("gone"));
            await TellsAsync(silo);
        }

        await using (LedgerSilo silo = await LedgerSilo.StartAsync(data))
        {
            await Eventually.Async("the status says it", async () => await DetailAsync(silo, 0) is not null && await DetailAsync(silo, 1) is not null, TimeSpan.FromMinutes(1));
            await TellsAsync(silo);

            // Nothing is lowered on its account.
            var store = new StoreFile(data);
            Assert.True(store.Run("UPDATE clicks_by_hour SET quarters = x'007f' WHERE series = 'total' AND chain = 0") > 0);
            ReconciliationRun run = await silo.RunAsync(from, to);
            Assert.Contains(run.Troubles, trouble => trouble.Code == "archive_incomplete" && trouble.Message.Contains(altered, StringComparison.Ordinal));

            await File.WriteAllBytesAsync(data.File("archive/" + altered), was);
            File.Move(data.File("gone"), data.File("archive/" + gone));
            await Eventually.Async("a run finds all well", async () => (await silo.RunAsync(from, to)).State == RunState.Done, TimeSpan.FromMinutes(1));
            await Eventually.Async("and so does the status", async () => (await DetailAsync(silo, 0), await DetailAsync(silo, 1)) == (null, null), TimeSpan.FromMinutes(1));
            await AgreeAsync(silo, truth);
        }

        async Task TellsAsync(LedgerSilo silo)
        {
            ReconciliationRun run = await silo.RunAsync(from, to);
            Assert.Equal(RunState.DoneInPart, run.State);
            Assert.All(run.Troubles, trouble => Assert.Equal("manifest_damaged", trouble.Code));
            Assert.Contains($"{altered} of the archive is not what was written. Bring it back", Assert.Single(run.Troubles, trouble => trouble.Chain == 0).Message, StringComparison.Ordinal);
            Assert.Contains($"{gone} of the archive is gone. Bring it back", Assert.Single(run.Troubles, trouble => trouble.Chain == 1).Message, StringComparison.Ordinal);
            await AgreeAsync(silo, truth);
            Assert.Contains(altered, await DetailAsync(silo, 0), StringComparison.Ordinal);
            Assert.Contains(gone, await DetailAsync(silo, 1), StringComparison.Ordinal);
        }

        static async Task<string?> DetailAsync(LedgerSilo silo, int chain) => (await silo.Grains.GetGrain<IArchiveGrain>(chain).GetProgressAsync()).Detail;
    }

    [Fact]
    public async Task Without_a_replay_log_a_run_that_needs_it_names_it_and_changes_nothing()
    {
        using var data = new DataFolder();
        await using LedgerSilo silo = await LedgerSilo.StartAsync(data, RunMode.Republish, patience: TimeSpan.FromSeconds(1));
        (Recount truth, int from, int to) = await AppendAsync(silo, 100);
        await Eventually.Async("a run is done", async () => (await silo.RunAsync(from, to)).State == RunState.Done, TimeSpan.FromMinutes(1));
        Directory.Delete(data.File("replay"));
        await File.WriteAllTextAsync(data.File("replay"), "a file");
        Assert.True(new StoreFile(data).Run("DELETE FROM clicks_by_hour WHERE series = 'total'") > 0);
        ReconciliationRun run = await silo.RunAsync(from, to);
        Assert.Equal((RunState.DoneInPart, 0), (run.State, run.Corrections));
        Assert.All(run.Troubles, trouble => Assert.Equal("replay_unavailable", trouble.Code));
        Assert.Contains(data.File("replay"), run.Troubles[0].Message, StringComparison.Ordinal);
        File.Delete(data.File("replay"));
        Assert.True((await silo.RunAsync(from, to)).Corrections > 0);
        await AgreeAsync(silo, truth);
    }

    /// <summary>Real clicks: their recount, and their hours.</summary>
    private static async Task<(Recount Truth, int From, int To)> AppendAsync(LedgerSilo silo, int clicks)
    {
        List<string> lines = [.. RealClicks.Lines.Take(clicks)];
        await silo.AppendAsync(lines);
        Recount truth = Recount.Of(lines);
        (int from, int to) = Hours(truth);
        return (truth, from, to);
    }

    private static (int From, int To) Hours(Recount truth) =>
        ((int)(truth.ByAdMinute.Keys.Min(key => key.Minute) / 60), (int)(truth.ByAdMinute.Keys.Max(key => key.Minute) / 60) + 1);

    /// <summary>Real clicks that were in a run over all the days they are of; answers the first hour of these and the one behind the last.</summary>
    private static async Task<(Recount Truth, int First, int End)> ReconciledDaysAsync(LedgerSilo silo, int clicks)
    {
        (Recount truth, int from, int to) = await AppendAsync(silo, clicks);
        (int first, int end) = (from / 24 * 24, (to + 23) / 24 * 24);
        Assert.Equal(RunState.Done, (await silo.RunAsync(first, end)).State);
        return (truth, first, end);
    }

    private static Task<SeriesSums> SumAsync(LedgerSilo silo, int from, int to, long? version = null) =>
        silo.Grains.GetGrain<ISeriesGrain>(0).SumAsync(new SeriesRange(["total"], from * 60L, to * 60L, null, version), CancellationToken.None);

    private static async Task<SeriesSums> AgreeAsync(LedgerSilo silo, Recount truth)
    {
        (int from, int to) = Hours(truth);
        ISeriesGrain series = silo.Grains.GetGrain<ISeriesGrain>(0);
        foreach (KeyValuePair<string, long>[] ads in truth.ByAd.Chunk(1000))
        {
            SeriesSums sums = await series.SumAsync(new SeriesRange([.. ads.Select(ad => "ad:" + ad.Key)], from * 60L, to * 60L), CancellationToken.None);
            Assert.Equal(ads.Select(ad => (ad.Key, ad.Value)), sums.Counts.Select(count => (count.Series[3..], count.Clicks)));
        }

        // Over whole days, which day slices and the days' top lists answer.
        int first = from / 24 * 24;
        int last = (to + 23) / 24 * 24;
        TopTargets top = await series.TopAsync(new TopQuestion(ClickAggregator.Clicks.TargetKind.Ad, first * 60L, last * 60L, 50), CancellationToken.None);
        Assert.Equal(truth.ByAd.Values.OrderDescending().Take(50), top.Items.Select(item => item.Clicks));
        SeriesSums total = await series.SumAsync(new SeriesRange(["total"], first * 60L, last * 60L), CancellationToken.None);
        Assert.Equal(truth.Total, total.Counts[0].Clicks);
        return await SumAsync(silo, from, to);
    }
}
