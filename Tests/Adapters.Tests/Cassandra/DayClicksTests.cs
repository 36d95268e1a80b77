using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Servers;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>The clicks of a day are remembered between writes: they are right wherever the chain goes.</summary>
public class DayClicksTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Day = 20_833;

    /// <summary>Three silos with windows that stay awake on them; the chain moves, and its new owner knows no stamps.</summary>
    [Theory]
    [InlineData(200_000)]
    [InlineData(2)]
    public async Task A_chain_that_moves_to_and_fro_says_the_clicks_of_the_day_with_every_write(int daysInMemory)
    {
        await using StoreInCassandra first = await keyspace.OpenAsync(server);
        await using StoreInCassandra second = await StoreInCassandra.OpenAsync(await keyspace.OptionsAsync(server) with { MaxDaysInMemory = daysInMemory });
        await using StoreInCassandra third = await StoreInCassandra.OpenAsync(await keyspace.OptionsAsync(server) with { MaxDaysInMemory = daysInMemory });
        StoreInCassandra[] silos = [first, second, third];
        var random = new Random(7);
        var windows = new Dictionary<(int Silo, WindowKey Key), WindowLedger>();
        var stamps = new Dictionary<WindowKey, long>();
        var clicks = new Dictionary<string, long>();
        int owner = 0;
        for (int batch = 1; batch <= 250; batch++)
        {
            if (random.Next(12) == 0)
            {
                owner = random.Next(silos.Length);
                stamps.Clear();
            }

            string series = $"ad:{random.Next(4)}";
            var key = new WindowKey(series, (Day * 24) + random.Next(6), 0);
            if (!windows.TryGetValue((owner, key), out WindowLedger? ledger) || random.Next(20) == 0)
            {
                windows[(owner, key)] = ledger = new WindowLedger(new KeptWindow(silos[owner].Windows, key));
            }

            int some = random.Next(1, 9);
            WindowAck ack = await ledger.ApplyAsync(new WindowDelta(
                batch * 10, batch * 1000, 0, stamps.TryGetValue(key, out long stamp) ? stamp : null, new[] { new MinuteCount((byte)random.Next(60), some) }));
            stamps[key] = ack.Stamp;
            clicks[series] = clicks.GetValueOrDefault(series) + some;
            Assert.Equal((WindowOutcome.Applied, clicks[series]), (ack.Outcome, ack.DayClicks));
        }
    }

    [Fact]
    public async Task Hours_that_are_written_at_the_same_time_add_up()
    {
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        for (int round = 1; round <= 20; round++)
        {
            WindowRow[] rows = [.. Enumerable.Range(0, 24).Select(hour => Row(round * 1000, hour, round))];
            await Task.WhenAll(rows.Select((row, hour) => store.Windows.WriteAsync(new WindowKey("ad:1", (Day * 24) + hour, 0), row)));

            // Whoever was last has seen all.
            Assert.Equal(24L * round, rows.Max(row => row.DayClicks));
            Assert.Equal(24L * round, (await store.Windows.ReadAsync(new WindowKey("ad:1", Day * 24, 0))).DayClicks);
        }
    }
}
