using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Chain;

/// <summary>Until when a partition says that it is counted, where the log's clock is another and readers may be held back.</summary>
public class CountedUntilTests
{
    private static readonly ChainOptions s_foreignClock = new() { LogClockIsOurs = false, MaxAttempts = 20 };

    [Fact]
    public void What_an_open_transaction_holds_back_is_not_counted_and_not_said_to_be()
    {
        using var bench = new ChainBench();
        bench.Append(5);
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(s_foreignClock);
            await chain.StartAsync(CancellationToken.None);
            await CountAsync(chain);
            long before = bench.World.Now;
            Assert.Equal(before, Until(bench));

            bench.Log.Head = bench.Log.End + 4; // written and committed, behind a transaction that somebody left open
            await WaitAsync(bench, 10_000);
            long looked = bench.World.Now;
            await CountAsync(chain);
            await WaitAsync(bench, 10_000);
            await CountAsync(chain);
            Assert.Equal(before, Until(bench));

            bench.Append(5);
            await CountAsync(chain);
            Assert.InRange(Until(bench), looked, bench.World.Now);
        });
    }

    [Fact]
    public void A_clock_ahead_in_the_log_does_not_hide_what_waits_in_it()
    {
        using var bench = new ChainBench();
        long ahead = bench.World.Now + 3_600_000;
        for (int n = 0; n < 6; n++)
        {
            bench.Append(new Entry(n, ahead, "a", $"c{n}", "", bench.World.Now, Damaged: false));
        }

        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(s_foreignClock with { MaxRecords = 1, BufferBytes = 1 });
            await chain.StartAsync(CancellationToken.None);
            while (!await chain.ReadToEndAsync(CancellationToken.None))
            {
                await chain.CommitAsync(CancellationToken.None);
                if (chain.Next < 6)
                {
                    Assert.Equal(0, Until(bench));
                }
            }

            Assert.InRange(Until(bench), 1, bench.World.Now);
        });
    }

    [Fact]
    public void Under_load_that_never_lets_it_reach_the_end_it_knows_until_when_it_counted()
    {
        using var bench = new ChainBench();
        bench.Append(5);
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(s_foreignClock);
            await chain.StartAsync(CancellationToken.None);
            long started = bench.World.Now;
            for (int n = 0; n < 20; n++)
            {
                bench.Append(5);
                await chain.LookAsync(CancellationToken.None);
                await chain.OfferAsync(bench.Log.Cut(chain.Next, bench.Log.End), CancellationToken.None);
                bench.Append(1);
                await chain.CommitAsync(CancellationToken.None);
                await WaitAsync(bench, 500);
            }

            Assert.InRange(Until(bench), started + 5_000, bench.World.Now);
        });
    }

    [Fact]
    public void A_batch_that_was_counted_is_no_half_counted_one_after_its_records_are_gone()
    {
        using var bench = new ChainBench();
        bench.Append(5);
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(s_foreignClock);
            await chain.StartAsync(CancellationToken.None);
            await CountAsync(chain);
            bench.Append(5);
            bench.Log.Start = 8;
            Assert.Equal("range_lost", (await Assert.ThrowsAsync<ChainStoppedException>(() => chain.ReadToEndAsync(CancellationToken.None))).Code);
            await chain.FinishAsync(CancellationToken.None);
        });
        bench.CountToEnd();
        Assert.Equal(7, bench.Total);
        Assert.Equal([new LostRange(5, 8)], bench.Records.Record!.Lost);
    }

    private static long Until(ChainBench bench) => bench.Posted.Count == 0 ? 0 : bench.Posted[^1].CountedUntil;

    private static Task WaitAsync(ChainBench bench, int milliseconds) =>
        Task.Delay(TimeSpan.FromMilliseconds(milliseconds), bench.World, CancellationToken.None);

    private static async Task CountAsync(PartitionChain chain)
    {
        do
        {
            await chain.CommitAsync(CancellationToken.None);
        }
        while (!await chain.ReadToEndAsync(CancellationToken.None));
    }
}
