using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Query;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Reconciling;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Query;

/// <summary>What an hour is answered with at a version while late clicks of it wait for their run. Under load, see the simulation of recounts.</summary>
public class VersionedCountsTests
{
    private const int Hour = 500_000;
    private const int Chain = 1;
    private static readonly HourFinal s_final = new(Hour, Chain, 100, 5, 0, [7, 9], 1);

    [Fact]
    public void Late_clicks_that_wait_are_in_no_version()
    {
        // Two clicks were there; three came late to one window, one made another, and a third has none of them.
        Assert.Equal([2, 0, 4], Ask(9, Late(AtFinal(9, 2)), New(AtFinal(9, 0)), Untouched()));
    }

    [Fact]
    public void What_a_later_finalisation_kept_is_told_of_the_version_before_it() =>
        Assert.Equal([1, 0, 4], Ask(7, ledger => ledger.History[(Key(0), 1)] = new HistoryRow(Key(0), 1, null, [1, 0, 0, 0]), Late(AtFinal(9, 2)), New(AtFinal(9, 0)), Untouched()));

    [Fact]
    public void What_a_run_that_is_under_way_has_kept_already_is_told_of_a_row_that_it_has_corrected()
    {
        WindowRow corrected = Untouched();
        (corrected.Run, corrected.Upto) = ("r6", 150);
        Assert.Throws<NotFinalException>(() => Ask(9, corrected));
        Assert.Equal([3], Ask(9, ledger => ledger.History[(Key(0), 2)] = new HistoryRow(Key(0), 2, null, [3, 0, 0, 0]), corrected));
    }

    [Fact]
    public void A_row_that_does_not_say_what_it_had_then_is_not_told()
    {
        Assert.Throws<NotFinalException>(() => Ask(9, Late(null)));
        Assert.Throws<NotFinalException>(() => Ask(9, Late(AtFinal(7, 2))));
        WindowRow corrected = Untouched();
        corrected.Run = "r6";
        Assert.Throws<NotFinalException>(() => Ask(9, corrected));
        corrected.Run = "r5.2";
        Assert.Equal([4], Ask(9, corrected));
        WindowRow aside = Late(AtFinal(9, 2));
        aside.SetAside = true;
        Assert.Throws<NotFinalException>(() => Ask(9, aside));
    }

    [Fact]
    public void An_hour_that_anything_but_a_click_has_opened_is_not_told()
    {
        Assert.Throws<NotFinalException>(() => Ask(9, ledger => ledger.Open[(Hour, Chain)] = 100, Untouched()));
        Assert.Throws<NotFinalException>(() => Ask(9, ledger => ledger.Finals.Clear(), New(AtFinal(9, 0))));
    }

    [Fact]
    public void A_version_that_the_hour_may_get_still_is_not_told()
    {
        Assert.Throws<NotFinalException>(() => Ask(10, static _ => { }, [10], Untouched()));
        Assert.Equal([4], Ask(9, static _ => { }, [10], Untouched()));
        Assert.Equal([4], Ask(10, static _ => { }, [8], Untouched()));
    }

    private static long[] Ask(long version, params WindowRow[] rows) => Ask(version, static _ => { }, rows);

    private static long[] Ask(long version, Action<MemoryLedger> change, params WindowRow[] rows) => Ask(version, change, [], rows);

    /// <summary>Asks for the day of the hour, which a click has opened; answers the clicks of each row's series.</summary>
    private static long[] Ask(long version, Action<MemoryLedger> change, long[] unsettled, params WindowRow[] rows)
    {
        var world = new World(1) { Faulty = false };
        var windows = new MemoryWindows(world, ChainFaults.None);
        var ledger = new MemoryLedger(world, windows, Chain);
        ledger.Finals[(Hour, Chain)] = s_final;
        ledger.Marks[(Hour, Chain)] = ledger.Open[(Hour, Chain)] = 200;
        for (int n = 0; n < rows.Length; n++)
        {
            windows.Rows[Key(n)] = MemoryWindows.Copy(rows[n]);
            windows.Days[(Key(n).Series, Hour / 24)] = [.. Enumerable.Range(0, 96).Select(_ => 1000L)]; // says nothing of a day whose hours change
        }

        change(ledger);
        var finality = new AnswerFinality(
            ledger, new LedgerBoard(), () => Task.FromResult(new LedgerPosition(Hour + 48, 10) { Unsettled = unsettled.Length == 0 ? null : unsettled }), world);
        long[] bounds = [Hour / 24 * 24 * 60, ((Hour / 24) + 1) * 24 * 60];
        string[] series = [.. Enumerable.Range(0, rows.Length).Select(n => Key(n).Series)];
        Task<(IReadOnlyDictionary<string, SeriesCounts> Counts, RangeFinality Finality)>? asked = null;
        world.NewActor().Start(() => asked = new VersionedCounts(ledger, ledger, finality).CountAsync(series, bounds, version, CancellationToken.None));
        Assert.True(world.RunUntil(() => asked?.IsCompleted == true, 100_000));
        (IReadOnlyDictionary<string, SeriesCounts> counts, RangeFinality final) = asked!.GetAwaiter().GetResult();
        Assert.Equal((version, bounds[^1]), (final.Version, final.FinalUntil));
        return [.. series.Select(one => counts[one].Clicks)];
    }

    private static WindowKey Key(int n) => new($"ad:{n}", Hour, Chain);

    private static CountsAtFinal AtFinal(long version, long clicks) => new(version, [clicks, 0, 0, 0]);

    private static WindowRow Late(CountsAtFinal? atFinal) => Row(5, 200, atFinal);

    private static WindowRow New(CountsAtFinal? atFinal) => Row(1, 200, atFinal);

    private static WindowRow Untouched() => Row(4, 100, null);

    private static WindowRow Row(long clicks, long upto, CountsAtFinal? atFinal) =>
        new() { Minutes = null, Quarters = [clicks, 0, 0, 0], Upto = upto, Stamp = 1, Run = "r2", AtFinal = atFinal };
}
