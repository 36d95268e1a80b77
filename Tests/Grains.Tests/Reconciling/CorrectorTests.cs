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
    private readonly MemoryLedger _ledger;

    public CorrectorTests() => _ledger = new MemoryLedger(_world, new MemoryWindows(_world, ChainFaults.None), s_key.Chain);

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

    private Corrector Correct(int attempt, long upto, long[] before, long[] after, string detail)
    {
        var request = new RecountRequest(7, s_key.Hour, s_key.Chain, DryRun: false, Passed: false, 0, [], attempt);
        var ports = new RecountPorts(_ledger, _ledger, _ledger, new AllApplied(), null!, null!, null!, null!, _world);
        var corrector = new Corrector(request, ports, new RecountRules(), new CountedChain(CountedChainState.Counted, upto, 0), upto, null);
        bool done = false;
        _world.NewActor().Start(async () =>
        {
            await corrector.LoadAsync(CancellationToken.None);
            CorrectionCause cause = attempt == 1 ? CorrectionCause.StoreDamage : CorrectionCause.Missed;
            await corrector.TakeAsync(new WindowDifference(s_key, cause, before, after, new long[60], 0, false, detail), CancellationToken.None);
            await corrector.EndAsync(CancellationToken.None);
            done = true;
        });
        Assert.True(_world.RunUntil(() => done, 100_000));
        return corrector;
    }

    private sealed class AllApplied : ICountedChains
    {
        public Task<CountedChain> GetAsync(int chain, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<WindowOutcome>?>([.. corrections.Select(_ => WindowOutcome.Applied)]);

        public Task<bool> FenceAsync(int chain, long by, CancellationToken cancellationToken) => Task.FromResult(true);
    }
}
