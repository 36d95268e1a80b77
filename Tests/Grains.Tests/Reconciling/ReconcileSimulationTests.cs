namespace ClickAggregator.Grains.Tests.Reconciling;

public class ReconcileSimulationTests
{
    [Fact]
    public void Recounts_that_die_anywhere_leave_true_counts_a_true_ledger_and_keep_every_promise()
    {
        var fired = new Dictionary<string, int>();
        for (int seed = 0; seed < 4; seed++)
        {
            Assert.Null(ReconcileRun.Check(seed, fired));
        }
    }

    /// <summary>Many seeds; each prints itself where it is wrong.</summary>
    [Fact(Explicit = true)]
    public void Many_seeds()
    {
        var fired = new Dictionary<string, int>();
        var wrong = new List<string>();
        for (int seed = 0; seed < 60; seed++)
        {
            if (ReconcileRun.Check(seed, fired) is { } fault)
            {
                wrong.Add($"seed {seed}: {fault}");
            }
        }

        Assert.Empty(wrong);
        foreach (string fault in (string[])["row deleted", "row changed", "row doubled", "row invented", "day changed", "day deleted", "top list deleted", "top list changed",
            "upto changed", "unit died", "invalidated", "revoked", "final 0", "final 1", "final 2", "unit Again archive_behind"])
        {
            Assert.True(fired.GetValueOrDefault(fault) > 0, $"{fault} never happened");
        }
    }
}
