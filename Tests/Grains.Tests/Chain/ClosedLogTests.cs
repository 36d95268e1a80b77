using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Tests.Chain;

/// <summary>One log takes the place of another: the old one is counted to an offset, the new one from its start.</summary>
public class ClosedLogTests
{
    [Fact]
    public void The_log_that_takes_the_place_of_a_closed_one_is_counted_beside_it_without_being_asked()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        Close(bench);
        bench.Restore(0);
        bench.Log.Id = "log-2";
        bench.Append(4, "other");
        Open(bench, number: 2);
        Assert.Equal(14, bench.Total);
        ChainRecord record = bench.Records.Record!;
        Assert.Equal(("log-2", 2, null), (record.Log, record.Chain, record.ClosedAt));
        Assert.Equal([new ClosedLog("log-1", 10)], record.Closed);
        Assert.Equal([1, 2], bench.Windows.Rows.Keys.Select(key => key.Chain).Distinct().Order());
    }

    [Fact]
    public void What_a_closed_log_got_later_is_not_counted_from_it()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        Close(bench);
        bench.Append(5);
        ChainStoppedException stopped = Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        Assert.Equal("log_closed", stopped.Code);
        Assert.Contains("up to offset 10 and no further", stopped.Message, StringComparison.Ordinal);
        Assert.Equal(10, bench.Total);
    }

    [Fact]
    public void A_closed_log_is_never_adopted_again()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        Close(bench);
        Refused();
        bench.Log.Id = "log-2";
        bench.Restore(0);
        bench.Append(3, "other");
        Open(bench, number: 2);
        bench.Log.Id = "log-1";
        Refused();

        void Refused() => bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open();
            Assert.Equal("log_closed", (await Assert.ThrowsAsync<ChainStoppedException>(() => chain.AdoptAsync("log-1", giveUpPending: false, CancellationToken.None))).Code);
        });
    }

    [Fact]
    public void A_crash_between_the_closing_and_the_new_log_changes_nothing()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        Close(bench);
        bench.Restore(0);
        bench.Log.Id = "log-2";
        bench.Append(4, "other");

        // The store refuses everything of the first batch: the owner ends, and the next one replays it.
        bench.Batches.Fails = true;
        Assert.Throws<IOException>(() => Open(bench, number: 2));
        bench.Batches.Fails = false;
        Open(bench, number: 2);
        Assert.Equal(14, bench.Total);
        Assert.Equal([new ClosedLog("log-1", 10)], bench.Records.Record!.Closed);
    }

    private static void Close(ChainBench bench) => bench.Run(async () =>
    {
        using PartitionChain chain = bench.Open();
        await chain.StartAsync(CancellationToken.None);
        while (!await chain.ReadToEndAsync(CancellationToken.None))
        {
            await chain.CommitAsync(CancellationToken.None);
        }

        await chain.CloseAsync(CancellationToken.None);
        Assert.False(chain.IsCounting);
    });

    private static void Open(ChainBench bench, int number) => bench.Run(async () =>
    {
        using PartitionChain chain = bench.Open(number: number);
        await chain.StartAsync(CancellationToken.None);
        while (!await chain.ReadToEndAsync(CancellationToken.None))
        {
            await chain.CommitAsync(CancellationToken.None);
        }

        await chain.CompleteAsync(CancellationToken.None);
    });
}
