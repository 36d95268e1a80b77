namespace ClickAggregator.Grains.Tests.Reconciling;

public class ReconcileSimulationTests
{
    [Fact]
    public void Recounts_that_die_anywhere_leave_true_counts_a_true_ledger_and_keep_every_promise()
    {
        var fired = new Dictionary<string, int>();
        for (int seed = 0; seed < 25; seed++)
        {
            string? wrong = ReconcileRun.Check(seed, fired);
            Assert.True(wrong is null, $"seed {seed}: {wrong}");
        }

        foreach (string fault in (string[])["row deleted", "row changed", "row doubled", "row invented", "day changed", "day deleted", "top list deleted", "top list changed",
            "upto changed", "unit died", "invalidated", "revoked", "final 0", "final 1", "final 2", "unit Again archive_behind"])
        {
            Assert.True(fired.GetValueOrDefault(fault) > 0, $"{fault} never happened");
        }
    }
}
