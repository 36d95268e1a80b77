using System.Globalization;
using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>
/// CLICKS_SIMULATION_SEEDS sets how many seeds are run, CLICKS_SIMULATION_SEED runs one.
/// </summary>
public class ChainSimulationTests(ITestOutputHelper output)
{
    private static readonly string[] s_faults =
    [
        "fenced", "owner crash", "owner stalls", "second owner", "silo crash", "call lost", "call late", "call answer lost",
        "window write late", "window write answer lost", "window write without effect", "record write late", "record write answer lost",
        "record write without effect", "batch write late", "batch write answer lost", "stale write lost", "slab delivered", "slab not delivered",
        "other rules", "minutes expired", "foreign write", "foreign delete", "foreign delete that is remembered", "row restored",
        "log trimmed", "old hour", "window SetAside", "window Repeated", "window Refused", "corrected", "chain starts over",
    ];

    [Fact]
    public void Every_seed_ends_at_the_recount()
    {
        if (Number("CLICKS_SIMULATION_SEED") is int one)
        {
            Assert.True(ChainRun.Check(one, ChainFaults.None) is not string bad, $"seed {one}: {ChainRun.Check(one, ChainFaults.None)}");
            return;
        }

        var fired = new Dictionary<string, int>();
        var wrong = new List<string>();
        int seeds = Number("CLICKS_SIMULATION_SEEDS") ?? 2000;
        for (int seed = 0; seed < seeds && wrong.Count < 20; seed++)
        {
            if (ChainRun.Check(seed, ChainFaults.None, fired) is string what)
            {
                wrong.Add($"seed {seed}: {what}");
            }
        }

        output.WriteLine(string.Join('\n', fired.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value}")));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.DoesNotContain(s_faults, fault => !fired.ContainsKey(fault));
    }

    [Theory]
    [InlineData((int)ChainFaults.NoCompareAndSet)]
    [InlineData((int)ChainFaults.NoIntent)]
    [InlineData((int)ChainFaults.NoUpto)]
    [InlineData((int)ChainFaults.NoStalenessCheck)]
    [InlineData((int)ChainFaults.NoStamps)]
    [InlineData((int)ChainFaults.CurrentRules)]
    [InlineData((int)ChainFaults.AnotherEnd)]
    [InlineData((int)ChainFaults.NoReadBack)]
    [InlineData((int)ChainFaults.NoCorrectionIntent)]
    [InlineData((int)ChainFaults.HoursLast)]
    public void A_broken_rule_is_noticed(int faults)
    {
        for (int seed = 0; seed < 400; seed++)
        {
            if (ChainRun.Check(seed, (ChainFaults)faults) is string what)
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
        ChainRun.Check(3, ChainFaults.None, first);
        ChainRun.Check(3, ChainFaults.None, second);
        Assert.Equal(first, second);
    }

    internal static int? Number(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
