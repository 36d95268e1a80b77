using ClickAggregator.Clicks;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Reconciling.Recount;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>What a run writes into the ledger.</summary>
public class CorrectorTests
{
    private static readonly WindowKey s_key = new("total", 480_000, 1);
    private readonly World _world = new(1) { Faulty = false };
    private readonly MemoryWindows _windows;
    private readonly MemoryLedger _ledger;
    private readonly List<WindowRecount> _asked = [];

    public CorrectorTests()
    {
        _windows = new MemoryWindows(_world, ChainFaults.None);
        _ledger = new MemoryLedger(_world, _windows, s_key.Chain);
    }

    [Fact]
    public void A_window_that_two_tries_of_a_run_correct_has_one_row_from_what_the_first_found_to_what_the_last_left()
    {
        Corrector first = Correct(attempt: 1, upto: 10, [0, 0, 0, 0], [5, 0, 0, 0], "no row");
        Corrector second = Correct(attempt: 2, upto: 20, [5, 0, 0, 0], [5, 2, 0, 0], "row");

        CorrectionRow row = Assert.Single(_ledger.Corrections.Values);
        Assert.Equal([0, 0, 0, 0], row.Before);
        Assert.Equal([5, 2, 0, 0], row.After);
        Assert.Equal((CorrectionState.Settled, CorrectionCause.StoreDamage, "no row, row", 20), (row.State, row.Cause, row.Detail, row.Upto));
        Assert.Equal((1, 5), (first.Done, first.ClicksChanged));
        Assert.Equal((0, 2), (second.Done, second.ClicksChanged));
    }

    [Fact]
    public void What_changed_is_told_by_rollup_where_one_target_lost_what_another_got_and_all_clicks_stayed()
    {
        WindowDifference Of(string series, long[] before, long[] after) => new(
            s_key with { Series = series }, CorrectionCause.Phantom, before, after, new long[60], 0, false, "row");
        Corrector corrector = Run(new RecountRequest(7, s_key.Hour, s_key.Chain, DryRun: false, Passed: false, 0, []), 10, async corrector =>
        {
            await corrector.TakeAsync(Of("ad:a", [200, 42, 0, 0], [1, 0, 0, 0]), CancellationToken.None);
            await corrector.TakeAsync(Of("ad:b", [0, 5, 0, 0], [7, 4, 0, 0]), CancellationToken.None);
            await corrector.TakeAsync(Of("ad:b|country:US", [0, 5, 0, 0], [0, 5, 0, 0]), CancellationToken.None);
            await corrector.TakeAsync(Of("what is this", [3, 0, 0, 0], [0, 0, 0, 0]), CancellationToken.None);
            await corrector.FlushAsync(CancellationToken.None);

            // A window that is corrected once more is one window.
            await corrector.TakeAsync(Of("ad:b", [7, 4, 0, 0], [8, 4, 0, 0]), CancellationToken.None);
        });

        Assert.Equal((4, 0), (corrector.Done, corrector.ClicksChanged));
        Assert.Equal(
            [new RollupChange(null, 1, 0, 3), new RollupChange("target", 2, 8, 242), new RollupChange("target|country", 1, 0, 0)],
            RollupChange.Sum(corrector.Changes));
    }

    [Theory]
    [InlineData("r7.2", CorrectionState.Settled)]
    [InlineData("r6", CorrectionState.Dropped)]
    [InlineData(null, CorrectionState.Dropped)]
    public void A_correction_that_a_late_write_calls_dropped_is_settled_where_the_window_carries_it(string? carried, CorrectionState state)
    {
        var row = new CorrectionRow(7, s_key, CorrectionCause.Missed, CorrectionState.Dropped, [0, 0, 0, 0], [5, 0, 0, 0], 10, 0, null);
        _ledger.Corrections[(row.Run, row.Key)] = row;

        Run(new RecountRequest(9, s_key.Hour, s_key.Chain, DryRun: false, Passed: false, 0, [], 1), 10, corrector =>
        {
            Assert.False(corrector.Resolve(s_key.Series, carried));
            return Task.CompletedTask;
        });

        Assert.Equal(row with { State = state }, Assert.Single(_ledger.Corrections.Values));
    }

    [Fact]
    public void A_window_whose_counts_and_list_are_wrong_is_confirmed_once_for_both()
    {
        _windows.Rows[s_key] = new WindowRow { Quarters = [3, 0, 0, 0], Upto = 8, Stamp = 5 };
        _windows.Days[(s_key.Series, s_key.Hour / 24)] = new long[96];
        Corrector corrector = Run(new RecountRequest(7, s_key.Hour, s_key.Chain, DryRun: false, Passed: false, 0, []), 10, async corrector =>
        {
            StoredWindow read = Assert.Single(await _ledger.FindWindowsAsync([s_key.Series], s_key.Hour, s_key.Chain, CancellationToken.None));
            foreach (string detail in new[] { "row", "top" })
            {
                await corrector.TakeAsync(
                    new WindowDifference(s_key, CorrectionCause.Phantom, [3, 0, 0, 0], [0, 0, 0, 0], new long[60], 8, true, detail) { Read = read }, CancellationToken.None);
            }
        });

        Assert.Equal((1, "row, top"), (corrector.Done, Assert.Single(_ledger.Corrections.Values).Detail));
    }

    [Fact]
    public void What_was_left_pending_of_a_rollup_that_was_switched_off_since_leaves_its_counts_as_they_are()
    {
        WindowKey off = s_key with { Series = "campaign:k" };
        WindowKey none = s_key with { Series = "total" };
        long[] minutes = new long[60];
        minutes[20] = 4;
        _windows.Rows[off] = new WindowRow { Quarters = [0, 4, 0, 0], Minutes = minutes, Upto = 8, Stamp = 5 };
        foreach (WindowKey key in new[] { off, none })
        {
            _ledger.Corrections[(6, key)] = new CorrectionRow(6, key, CorrectionCause.Missed, CorrectionState.Pending, [0, 0, 0, 0], [0, 4, 0, 0], 8, 0, null);
        }

        Run(new RecountRequest(7, s_key.Hour, s_key.Chain, DryRun: false, Passed: false, 0, []), 10, static _ => Task.CompletedTask, new RollupSet([new Rollup(RollupBase.Total)]));

        Assert.Equal(minutes, _asked.Single(each => each.Series == off.Series).Minutes);
        Assert.All(_asked.Single(each => each.Series == none.Series).Minutes!, count => Assert.Equal(0, count));
        Assert.All(_ledger.Corrections.Values.Where(row => row.Run == 6), row => Assert.Equal(CorrectionState.Dropped, row.State));
    }

    private Corrector Correct(int attempt, long upto, long[] before, long[] after, string detail) => Run(
        new RecountRequest(7, s_key.Hour, s_key.Chain, DryRun: false, Passed: false, 0, [], attempt),
        upto,
        corrector => corrector.TakeAsync(
            new WindowDifference(s_key, attempt == 1 ? CorrectionCause.StoreDamage : CorrectionCause.Missed, before, after, new long[60], 0, false, detail),
            CancellationToken.None));

    private Corrector Run(RecountRequest request, long upto, Func<Corrector, Task> take, RollupSet? compared = null)
    {
        var ports = new RecountPorts(_ledger, _ledger, _ledger, new AllApplied(_asked), null!, null!, null!, null!, _world);
        var corrector = new Corrector(request, ports, new RecountRules(), new CountedChain(CountedChainState.Counted, upto, 0), upto);
        bool done = false;
        _world.NewActor().Start(async () =>
        {
            await corrector.LoadAsync(CancellationToken.None);
            await take(corrector);
            await corrector.EndAsync(compared ?? RollupSet.Default, CancellationToken.None);
            done = true;
        });
        Assert.True(_world.RunUntil(() => done, 100_000));
        return corrector;
    }

    private sealed class AllApplied(List<WindowRecount> asked) : ICountedChains
    {
        public Task<CountedChain> GetAsync(int chain, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<long?> CountedToAsync(int chain, CancellationToken cancellationToken) => Task.FromResult<long?>(100);

        public Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections, CancellationToken cancellationToken)
        {
            asked.AddRange(corrections);
            return Task.FromResult<IReadOnlyList<WindowOutcome>?>([.. corrections.Select(_ => WindowOutcome.Applied)]);
        }

        public Task<IReadOnlyList<int>> MixedWithAsync(int chain, int hour) => Task.FromResult<IReadOnlyList<int>>([]);

        public Task<bool> FenceAsync(int chain, long by, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}
