using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Chain;

/// <summary>The log is not the one that was counted, or not all of it any more.</summary>
public class ReplacedLogTests
{
    [Fact]
    public void A_log_restored_from_an_older_copy_stops_the_partition_also_after_it_grew_beyond_what_was_counted()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        bench.Restore(6);
        Assert.Equal("log_shorter", Assert.Throws<ChainStoppedException>(() => bench.CountToEnd()).Code);
        bench.Append(8, "other");
        ChainStoppedException stopped = Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        Assert.Equal("log_differs", stopped.Code);
        Assert.Contains("offset 9", stopped.Message, StringComparison.Ordinal);
        Assert.Equal(10, bench.Total);
        Assert.Equal(PartitionState.Stopped, bench.Posted[^1].State);
    }

    [Fact]
    public void A_log_restored_into_a_batch_that_was_begun_stops_the_partition()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        BeginABatch(bench);
        Assert.Equal(10, bench.Records.Record!.Pending!.End);
        bench.Restore(6);
        bench.Append(8, "other");
        Assert.Equal("log_differs", Assert.Throws<ChainStoppedException>(() => bench.CountToEnd()).Code);
        Assert.Equal(10, bench.Total);
    }

    [Fact]
    public void The_newer_log_brought_back_is_counted_on()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        Entry[] newer = [.. bench.Log.Entries];
        bench.Restore(6);
        bench.Append(8, "other");
        Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        bench.Restore(0);
        Array.ForEach(newer, bench.Append);
        bench.Append(5);
        bench.CountToEnd();
        Assert.Equal(15, bench.Total);
    }

    [Fact]
    public void A_last_record_that_was_damaged_since_says_nothing()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        bench.Log.Entries[9] = bench.Log.Entries[9] with { Damaged = true };
        bench.Append(5);
        bench.CountToEnd();
        Assert.Equal(15, bench.Total);
    }

    [Fact]
    public void Of_another_log_nothing_is_counted_and_nothing_may_be_removed()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        Assert.Contains(bench.Posted, progress => progress is { Next: 10, State: PartitionState.Counting });
        long until = bench.Posted[^1].CountedUntil;
        bench.Restore(0);
        bench.Log.Id = "log-2";
        bench.Append(4);
        bench.Posted.Clear();
        ChainStoppedException stopped = Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        Assert.Equal("log_replaced", stopped.Code);
        Assert.Contains("log-1", stopped.Message, StringComparison.Ordinal);
        Assert.Contains("Bring the old log back, or take the new one up with adopt-log --log log-2;", stopped.Message, StringComparison.Ordinal);
        Assert.All(bench.Posted, progress => Assert.Equal((0, 0), (progress.Next, progress.Needed)));
        Assert.InRange(bench.Posted[^1].CountedUntil, 1, until);
    }

    [Fact]
    public void Started_without_its_Kafka_settings_it_says_that_those_bring_the_log_back()
    {
        using var bench = new ChainBench();
        bench.Log.Id = "cluster/topic";
        bench.Append(10);
        bench.CountToEnd();
        bench.Restore(0);
        bench.Log.Id = "7f0c3c3e-6a0e-4f5a-9d43-0a3a1b0c4d11";
        ChainStoppedException stopped = Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        Assert.Equal("log_replaced", stopped.Code);
        Assert.Contains("start it with its Kafka settings again, or take the new one up with adopt-log --log 7f0c3c3e", stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adopted_log_is_counted_beside_the_old_one_under_a_number_of_its_own()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        bench.Restore(0);
        bench.Log.Id = "log-2";
        bench.Append(4);
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(number: 2);
            await Assert.ThrowsAsync<ChainStoppedException>(() => chain.AdoptAsync("log-3", giveUpPending: false, CancellationToken.None));
            await chain.AdoptAsync("log-2", giveUpPending: false, CancellationToken.None);
        });
        bench.CountToEnd();
        Assert.Equal(14, bench.Total);
        Assert.Equal(2, bench.Records.Record!.Chain);
        Assert.Equal([1, 2], bench.Windows.Rows.Keys.Select(key => key.Chain).Distinct().Order());
    }

    [Fact]
    public void A_log_is_not_adopted_while_a_batch_of_the_old_one_is_half_counted_unless_that_is_given_up()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        BeginABatch(bench);
        bench.Log.Id = "log-2";
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(number: 2);
            ChainStoppedException stopped = await Assert.ThrowsAsync<ChainStoppedException>(() => chain.AdoptAsync("log-2", giveUpPending: false, CancellationToken.None));
            Assert.Contains("[0, 10)", stopped.Message, StringComparison.Ordinal);
            Assert.Contains("--half-counted give-up", stopped.Message, StringComparison.Ordinal);
            await chain.AdoptAsync("log-2", giveUpPending: true, CancellationToken.None);
        });
        Assert.Equal([new LostRange(0, 10)], bench.Records.Record!.Lost);
        Assert.Equal("log-2", bench.Records.Record!.Log);
    }

    [Fact]
    public void Records_that_the_log_lost_before_they_were_counted_are_named_for_ever()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        bench.Append(10);
        bench.Log.Start = 15;
        bench.CountToEnd();
        bench.Append(5);
        bench.CountToEnd();
        Assert.Equal([new LostRange(10, 15)], bench.Records.Record!.Lost);
        Assert.Equal(20, bench.Total);
    }

    [Fact]
    public void An_empty_store_over_a_log_that_forgot_its_beginning_names_what_it_never_saw()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.Log.Start = 4;
        bench.CountToEnd();
        Assert.Equal([new LostRange(0, 4)], bench.Records.Record!.Lost);
        Assert.Equal(6, bench.Total);
    }

    [Fact]
    public void A_begun_batch_whose_records_are_gone_stops_the_partition_and_names_them()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        BeginABatch(bench);
        bench.Log.Start = 3;
        ChainStoppedException stopped = Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        Assert.Equal("range_lost", stopped.Code);
        Assert.Contains("[0, 10)", stopped.Message, StringComparison.Ordinal);
    }

    /// <summary>Leaves the batch of all that is there begun and not complete.</summary>
    private static void BeginABatch(ChainBench bench)
    {
        bench.Batches.Fails = true;
        Assert.Throws<IOException>(() => bench.CountToEnd());
        bench.Batches.Fails = false;
    }
}
