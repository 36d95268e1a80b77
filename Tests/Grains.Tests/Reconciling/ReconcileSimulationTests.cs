using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>
/// CLICKS_SIMULATION_SEEDS sets how many seeds are run, CLICKS_SIMULATION_SEED runs one.
/// </summary>
public class ReconcileSimulationTests(ITestOutputHelper output)
{
    private static readonly string[] s_faults =
    [
        "row deleted", "row changed", "row doubled", "row invented", "day changed", "day deleted", "top list deleted", "top list changed", "upto changed",
        "day changed by a clock ahead", "top list changed by a clock ahead", "name deleted", "mark of an hour deleted", "floor raised", "upto lowered", "mark of an hour lowered",
        "mark of an hour deleted by a clock ahead", "part of a day hidden",
        "unit died", "owner crash", "invalidated", "user invalidated", "erased", "revoked", "final 0", "final 1", "final 2", "unit Again archive_behind",
        "unit Again replay_unavailable", "done Direct", "done Republish",
        "version of an open hour", "version of a final hour",
        "rollup on", "rollup off", "rebuilt with a version", "called whole",
    ];

    [Fact]
    public void Recounts_that_die_anywhere_leave_true_counts_a_true_ledger_and_keep_every_promise()
    {
        var fired = new Dictionary<string, int>();
        if (ChainSimulationTests.Number("CLICKS_SIMULATION_SEED") is int one)
        {
            Assert.Null(ReconcileRun.Check(one, fired));
            return;
        }

        var wrong = new List<string>();
        int seeds = ChainSimulationTests.Number("CLICKS_SIMULATION_SEEDS") ?? 60;
        for (int seed = 0; seed < seeds && wrong.Count < 20; seed++)
        {
            if (ReconcileRun.Check(seed, fired) is string what)
            {
                wrong.Add($"seed {seed}: {what}");
            }
        }

        output.WriteLine(string.Join('\n', fired.OrderBy(fault => fault.Key, StringComparer.Ordinal).Select(fault => $"{fault.Key}: {fault.Value}")));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.DoesNotContain(s_faults, fault => !fired.ContainsKey(fault));
    }
}
