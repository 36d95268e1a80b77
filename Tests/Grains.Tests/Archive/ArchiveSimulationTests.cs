using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Archive;

/// <summary>
/// CLICKS_SIMULATION_SEEDS sets how many seeds are run, CLICKS_SIMULATION_SEED runs one.
/// </summary>
public class ArchiveSimulationTests(ITestOutputHelper output)
{
    private static readonly string[] s_faults =
    [
        "fenced", "owner crash", "owner stalls", "second owner", "store restored", "log lost", "log trimmed", "asked", "asked, and some moved", "archive starts over",
        "record write late", "record write answer lost", "record write without effect", "object create late", "object create answer lost",
        "object create without effect", "day write late", "day write answer lost", "entry Write", "entry Merge", "entry Lost", "entry Erase",
        "erased in the table", "erased in the inbox", "erasure waits", "nothing to erase", "object replace late", "object replace answer lost", "replaced by Erase",
    ];

    [Fact]
    public void Every_seed_ends_with_each_click_in_one_object()
    {
        if (ChainSimulationTests.Number("CLICKS_SIMULATION_SEED") is int one)
        {
            Assert.True(ArchiveRun.Check(one, ArchiveFaults.None) is not string bad, $"seed {one}: {ArchiveRun.Check(one, ArchiveFaults.None)}");
            return;
        }

        var fired = new Dictionary<string, int>();
        var wrong = new List<string>();
        int seeds = ChainSimulationTests.Number("CLICKS_SIMULATION_SEEDS") ?? 60;
        for (int seed = 0; seed < seeds && wrong.Count < 20; seed++)
        {
            if (ArchiveRun.Check(seed, ArchiveFaults.None, fired) is string what)
            {
                wrong.Add($"seed {seed}: {what}");
            }
        }

        output.WriteLine(string.Join('\n', fired.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value}")));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.DoesNotContain(s_faults, fault => !fired.ContainsKey(fault));
    }

    [Theory]
    [InlineData((int)ArchiveFaults.NoCompareAndSet)]
    [InlineData((int)ArchiveFaults.ObjectsFirst)]
    [InlineData((int)ArchiveFaults.NoCreate)]
    [InlineData((int)ArchiveFaults.NoTakingUp)]
    [InlineData((int)ArchiveFaults.DeletedEarly)]
    [InlineData((int)ArchiveFaults.NoReadingBack)]
    [InlineData((int)ArchiveFaults.NoComparison)]
    [InlineData((int)ArchiveFaults.BothCopies)]
    [InlineData((int)ArchiveFaults.NoLookBeforeRewriting)]
    [InlineData((int)ArchiveFaults.NoRemakingOfErasures)]
    public void A_broken_rule_is_noticed(int faults)
    {
        for (int seed = 0; seed < 300; seed++)
        {
            if (ArchiveRun.Check(seed, (ArchiveFaults)faults) is string what)
            {
                output.WriteLine($"seed {seed}: {what}");
                return;
            }
        }

        Assert.Fail("no seed noticed it");
    }

    [Fact]
    public void A_seed_is_one_run()
    {
        var first = new Dictionary<string, int>();
        var second = new Dictionary<string, int>();
        ArchiveRun.Check(3, ArchiveFaults.None, first);
        ArchiveRun.Check(3, ArchiveFaults.None, second);
        Assert.Equal(first, second);
    }
}
