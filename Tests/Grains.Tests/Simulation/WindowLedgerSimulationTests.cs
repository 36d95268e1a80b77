using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Tests.Simulation;

/// <summary>
/// The real ledger under a random chain: two activations of one window, writes that land late or whose answer is lost,
/// zombies that repeat old batches, owners that woke up and know no stamp. CLICKS_SIMULATION_SEEDS sets how many seeds
/// are run.
/// </summary>
public class WindowLedgerSimulationTests
{

    [Fact]
    public async Task Every_seed_ends_at_the_truth()
    {
        int seeds = ChainSimulationTests.Number("CLICKS_SIMULATION_SEEDS") ?? 3000;
        for (int seed = 0; seed < seeds; seed++)
        {
            Assert.True(await RunAsync(seed, ChainFaults.None), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData((int)ChainFaults.NoUpto)]
    [InlineData((int)ChainFaults.NoStalenessCheck)]
    [InlineData((int)ChainFaults.NoStamps)]
    public async Task A_broken_rule_is_noticed(int faults)
    {
        int wrong = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            wrong += await RunAsync(seed, (ChainFaults)faults) ? 0 : 1;
        }

        Assert.True(wrong > 0);
    }

    [Fact]
    public async Task A_recount_from_before_the_clicks_that_a_set_aside_row_was_denied_is_too_early()
    {
        var store = new Store(new Random(0), ordered: true, faults: false);
        var ledger = new WindowLedger(store);
        await ledger.ApplyAsync(Delta(10, 1000, 0, null, 1));
        WindowRow old = Store.Copy(store.Row);
        WindowAck ack = await ledger.ApplyAsync(Delta(20, 2000, 0, 1000, 1));
        store.Row = old;
        ledger = new WindowLedger(store);
        ack = await ledger.ApplyAsync(Delta(30, 3000, 0, ack.Stamp, 1));
        Assert.Equal(WindowOutcome.SetAside, ack.Outcome);
        ack = await ledger.ApplyAsync(Delta(40, 4000, 0, ack.Stamp, 1));
        Assert.Equal(WindowOutcome.SetAside, ack.Outcome);
        Assert.Equal(WindowOutcome.Later, (await ledger.CorrectAsync(new WindowCorrection(30, 5000, 0, "run", null, [3, 0, 0, 0]))).Outcome);
        Assert.Equal(WindowOutcome.Applied, (await ledger.CorrectAsync(new WindowCorrection(40, 6000, 0, "run", null, [4, 0, 0, 0]))).Outcome);
        Assert.Equal(4, store.Row.Clicks);
    }

    private static async Task<bool> RunAsync(int seed, ChainFaults faults)
    {
        var random = new Random(seed);
        var store = new Store(random, ordered: !faults.HasFlag(ChainFaults.NoStamps), faults: true);
        WindowLedger[] activations = [new(store, faults), new(store, faults)];
        var sent = new List<WindowDelta>();
        long truth = 0;
        long? previous = null;
        for (int batch = 1; batch <= 12; batch++)
        {
            int clicks = random.Next(1, 9);
            truth += clicks;
            previous = random.Next(5) == 0 ? null : previous;
            for (int attempt = 0; ; attempt++)
            {
                WindowDelta delta = Delta(batch * 10, batch * 1000, attempt, previous, clicks);
                sent.Add(delta);
                try
                {
                    WindowAck ack = await activations[random.Next(2)].ApplyAsync(delta);
                    if (ack.Outcome is WindowOutcome.SetAside or WindowOutcome.Refused)
                    {
                        return false;
                    }

                    previous = ack.Stamp;
                    break;
                }
                catch (TimeoutException)
                {
                }
            }

            if (random.Next(2) == 0)
            {
                try
                {
                    await activations[random.Next(2)].ApplyAsync(sent[random.Next(sent.Count)]);
                }
                catch (TimeoutException)
                {
                }
            }
        }

        store.LandAll();
        return store.Row.Clicks == truth && store.Row.Minutes!.Sum() == truth;
    }

    private static WindowDelta Delta(long end, long stamp, int attempt, long? previous, int clicks) =>
        new(end, stamp, attempt, previous, new[] { new MinuteCount(5, clicks) });

    private sealed class Store(Random random, bool ordered, bool faults) : IWindowStore
    {
        private readonly List<WindowRow> _late = [];

        public WindowRow Row { get; set; } = new();

        public static WindowRow Copy(WindowRow row) => new()
        {
            Minutes = row.Minutes is null ? null : [.. row.Minutes],
            Quarters = [.. row.Quarters],
            Upto = row.Upto,
            Stamp = row.Stamp,
            SetAside = row.SetAside,
            Run = row.Run,
        };

        public Task<WindowRow> ReadAsync() => Task.FromResult(Copy(Row));

        public Task WriteAsync(WindowRow row)
        {
            int fate = faults ? random.Next(6) : 5;
            if (fate == 0)
            {
                _late.Add(Copy(row));
                throw new TimeoutException("lands later");
            }

            Land(Copy(row));
            if (_late.Count > 0 && random.Next(2) == 0)
            {
                LandAll();
            }

            return fate == 1 ? throw new TimeoutException("answer lost") : Task.CompletedTask;
        }

        public void LandAll()
        {
            _late.ForEach(Land);
            _late.Clear();
        }

        private void Land(WindowRow row) => Row = !ordered || row.Stamp > Row.Stamp ? row : Row;
    }
}
