using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;

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
    public void Left_for_another_by_adoption_a_closed_log_stays_closed()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        Close(bench);
        bench.Restore(0);
        bench.Log.Id = "log-2";
        Adopt(bench, "log-2", 2);
        Assert.Equal([new ClosedLog("log-1", 10)], bench.Records.Record!.Closed);
    }

    [Fact]
    public void A_log_that_was_left_by_adoption_and_is_taken_up_again_goes_on_where_it_was()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        Entry[] first = [.. bench.Log.Entries];
        bench.Restore(0);
        bench.Log.Id = "log-2";
        bench.Append(4, "other");
        Adopt(bench, "log-2", 2);
        Open(bench, number: 2);
        Assert.Equal(14, bench.Total);

        // The first one again, with clicks behind those that were counted: a batch over both would count them again.
        bench.Restore(0);
        foreach (Entry entry in first)
        {
            bench.Append(entry);
        }

        bench.Log.Id = "log-1";
        bench.Append(5);
        Adopt(bench, "log-1", 1);
        Open(bench, number: 1);
        Assert.Equal(19, bench.Total);
        Assert.Equal("log-2", Assert.Single(bench.Records.Record!.Left).Log);
    }

    [Fact]
    public void A_log_whose_clicks_come_through_another_is_closed_from_the_first_record_on()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open();
            chain.Source = new ClosedLog("click-log", 3);
            await chain.StartAsync(CancellationToken.None);
        });
        Assert.Equal([new ClosedLog("click-log", 3)], bench.Records.Record!.Closed);
        bench.Log.Id = "click-log";
        Assert.Equal("log_closed", Assert.Throws<ChainStoppedException>(() => Adopt(bench, "click-log", 2)).Code);
    }

    [Fact]
    public void A_log_is_closed_also_while_clicks_come_in_faster_than_a_batch_takes_them()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.Batches.Written = _ => bench.Append(3, "more");
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(new ChainOptions { MaxRecords = 1, MaxAttempts = 20 });
            await chain.StartAsync(CancellationToken.None);
            await chain.CountToCloseAsync(CancellationToken.None);
        });
        Assert.Equal(bench.Records.Record!.ClosedAt, bench.Total);
        Assert.InRange(bench.Total, 10, 200);
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

    [Fact]
    public void Windows_of_a_closed_log_are_corrected_by_the_partition_that_counts_the_one_after_it()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        Close(bench);
        bench.Restore(0);
        bench.Log.Id = "log-2";
        bench.Append(4, "other");
        Open(bench, number: 2);
        WindowKey old = Assert.Single(bench.Windows.Rows.Keys, key => key is { Series: "ad:a", Chain: 1 });
        WindowKey lost = old with { Series = "ad:rebuilt" };
        WindowKey current = old with { Chain = 2 };
        long[] minutes = new long[60];
        minutes[7] = 23;
        long epoch = bench.Records.Record!.Stamp;
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(number: 2);
            await chain.StartAsync(CancellationToken.None);
            Correction[] corrections = [.. new[] { old, lost }.Select(key => new Correction(key, "r1", 10, minutes, [23, 0, 0, 0]))];
            Assert.All(
                await chain.CorrectAsync(corrections, CancellationToken.None, new ClosedChain(1, 10)),
                outcome => Assert.True(outcome is WindowOutcome.Applied or WindowOutcome.Repeated)); // the simulation loses answers
            await Assert.ThrowsAsync<ArgumentException>(() => chain.CorrectAsync([corrections[0] with { Upto = 11 }], CancellationToken.None, new ClosedChain(1, 10)));
        });
        Assert.Equal((23, 23, 10), (bench.Windows.Rows[old].Clicks, bench.Windows.Rows[lost].Clicks, bench.Windows.Rows[lost].Upto));
        Assert.Equal(4, bench.Windows.Rows[current].Clicks);
        Assert.True(bench.Records.Record!.Stamp > epoch); // whoever had the partition before corrects no more
        TopKey top = Assert.Single(bench.Windows.Tops.Keys, key => key is { Slice: TopSlice.Hour, Chain: 1 });
        Assert.Equal([new TopEntry("a", 23), new TopEntry("rebuilt", 23)], bench.Windows.Tops[top].Entries.OrderBy(entry => entry.Id, StringComparer.Ordinal));
        Assert.Equal([new TopEntry("a", 4)], bench.Windows.Tops[top with { Chain = 2 }].Entries);

        // And the log of now is counted on.
        bench.Append(3, "more");
        Open(bench, number: 2);
        Assert.Equal((23, 7), (bench.Windows.Rows[old].Clicks, bench.Windows.Rows[current].Clicks));
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

    private static void Adopt(ChainBench bench, string log, int number) => bench.Run(async () =>
    {
        using PartitionChain chain = bench.Open(number: number);
        await chain.AdoptAsync(log, giveUpPending: false, CancellationToken.None);
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
