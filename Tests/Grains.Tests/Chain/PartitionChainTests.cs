using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Grains.Tests.Simulation;

namespace ClickAggregator.Grains.Tests.Chain;

public class PartitionChainTests
{
    [Fact]
    public void A_correction_that_failed_ends_its_owner_and_the_next_one_has_the_top_lists_right()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        WindowKey key = default;
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open();
            await chain.StartAsync(CancellationToken.None);
            await chain.ReadToEndAsync(CancellationToken.None);
            await chain.CommitAsync(CancellationToken.None);
            key = bench.Windows.Rows.Keys.Single(one => one.Series == "ad:a");
            WindowRow damaged = bench.Windows.Rows[key];
            damaged.Quarters[0] += 5;
            damaged.Minutes![0] += 5;
            damaged.Stamp++;
            bench.Batches.Fails = true;
            await Assert.ThrowsAsync<IOException>(() => chain.CorrectAsync([Recounted(bench, key, "run-1")], CancellationToken.None));
            bench.Batches.Fails = false;

            // Whoever goes on with it is told.
            Assert.False(chain.IsCounting);
            await Assert.ThrowsAsync<InvalidOperationException>(() => chain.ReadToEndAsync(CancellationToken.None));
            await Assert.ThrowsAsync<InvalidOperationException>(() => chain.CommitAsync(CancellationToken.None));
        });
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open();
            await chain.StartAsync(CancellationToken.None);
            bench.Windows.Corrected.Clear();
            IReadOnlyList<WindowOutcome> outcomes = await chain.CorrectAsync([Recounted(bench, key, "run-1")], CancellationToken.None);
            Assert.Equal([WindowOutcome.Repeated], outcomes);

            // Whoever remembers the day learns of it, also where the first attempt broke off.
            Assert.Equal([key.Hour], bench.Windows.Corrected);
        });
        bench.Append(3);
        bench.CountToEnd();
        Assert.Equal(13, bench.Windows.Rows[key].Clicks);
        TopList list = bench.Windows.Tops[new TopKey(Clicks.TargetKind.Ad, TopSlice.Hour, key.Hour, 1)];
        Assert.Equal([new TopEntry("a", 13)], list.Entries);
    }

    [Fact]
    public void A_correction_stays_though_the_next_batch_comes_to_an_activation_that_slept_through_it()
    {
        using var bench = new ChainBench();
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open();
            await chain.StartAsync(CancellationToken.None);
            int hour = (int)(bench.World.Now / 3_600_000);
            for (int round = 0; round < 40; round++)
            {
                // Each call goes to one of two silos, and both have the window active.
                bench.Append(new Entry(bench.Log.End, bench.World.Now, "a", $"c{round}", "", hour * 3_600_000L, Damaged: false));
                await chain.ReadToEndAsync(CancellationToken.None);
                await chain.CommitAsync(CancellationToken.None);
                (WindowKey key, WindowRow row) = bench.Windows.Rows.Single(one => one.Key.Series == "ad:a" && one.Key.Hour == hour);
                Assert.Equal((10 * round) + round + 1, row.Clicks);

                long[] minutes = [.. row.Minutes!];
                minutes[0] += 10;
                var recounted = new Correction(key, $"run-{round}", bench.Log.End, minutes, Recount.Quarters(minutes));
                Assert.True(Assert.Single(await chain.CorrectAsync([recounted], CancellationToken.None)) is WindowOutcome.Applied or WindowOutcome.Repeated);
            }
        });
    }

    [Fact]
    public void A_floor_is_lowered_by_a_recount_that_has_every_click_of_the_hour_and_by_no_other()
    {
        using var bench = new ChainBench();
        bench.Append(5);
        bench.Append(new Entry(bench.Log.End, bench.World.Now, "b", "of-b", "", bench.World.Now, Damaged: false));
        TopKey top = default;
        Correction before = null!;
        bench.Run(async () =>
        {
            using PartitionChain chain = await StartAsync();
            await CountAsync(chain);
            WindowKey key = bench.Windows.Rows.Keys.Single(one => one.Series == "ad:b");
            top = new TopKey(Clicks.TargetKind.Ad, TopSlice.Hour, key.Hour, 1);
            long[] minutes = bench.Windows.Rows[key].Minutes!;
            before = new Correction(key, "run-1", bench.Log.End, [.. minutes], Recount.Quarters(minutes), HourFloor: 3);
            Assert.Equal(3, await FloorAsync(chain, before));

            // A click that the recount does not know came into the hour.
            bench.Append(1);
            await CountAsync(chain);
            Assert.Equal(5000, await FloorAsync(chain, before with { Run = "run-2" }));
        });
        bench.Run(async () =>
        {
            // The next owner does not know what came before.
            using PartitionChain chain = await StartAsync();
            Assert.Equal(5000, await FloorAsync(chain, before with { Run = "run-3" }));
            Assert.Equal(3, await FloorAsync(chain, before with { Run = "run-4", Upto = bench.Log.End }));
        });

        async Task<PartitionChain> StartAsync()
        {
            PartitionChain chain = bench.Open();
            await chain.StartAsync(CancellationToken.None);
            return chain;
        }

        async Task CountAsync(PartitionChain chain)
        {
            await chain.ReadToEndAsync(CancellationToken.None);
            await chain.CommitAsync(CancellationToken.None);
        }

        async Task<long> FloorAsync(PartitionChain chain, Correction correction)
        {
            bench.Windows.Tops[top] = bench.Windows.Tops[top] with { Floor = 5000 };
            Assert.True(Assert.Single(await chain.CorrectAsync([correction], CancellationToken.None)) is WindowOutcome.Applied or WindowOutcome.Repeated);
            return bench.Windows.Tops[top].Floor;
        }
    }

    [Fact]
    public void The_hour_of_a_late_click_is_noted_before_its_window_and_a_young_one_with_the_batch()
    {
        using var bench = new ChainBench();
        const long Hour = 3_600_000;
        int now = (int)(bench.World.Now / Hour);
        foreach (long behind in new[] { 0L, 1, 2, 3, 40 })
        {
            bench.Append(new Entry(bench.Log.End, bench.World.Now, "a", $"c{behind}", "", bench.World.Now - (behind * Hour), Damaged: false));
        }

        var writes = new List<string>();
        bench.Batches.Written = rows => writes.Add(
            $"{Behind(rows.Opens.Concat(rows.Hours))} up to {rows.Upto} while there are {Behind(bench.Windows.Rows.Keys.Select(key => key.Hour).Distinct().Order())}");
        bench.CountToEnd();

        Assert.Equal(["40 3 2 up to 5 while there are ", "40 3 2 1 0 up to 5 while there are 40 3 2 1 0"], writes);
        string Behind(IEnumerable<int> hours) => string.Join(' ', hours.Select(hour => now - hour));
    }

    [Fact]
    public void A_late_click_whose_hour_cannot_be_noted_is_not_counted_until_it_can()
    {
        using var bench = new ChainBench();
        bench.Append(new Entry(0, bench.World.Now, "a", "c", "", bench.World.Now - 86_400_000, Damaged: false));
        bench.Batches.Fails = true;
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(new ChainOptions { MaxAttempts = 3 });
            await chain.StartAsync(CancellationToken.None);
            await chain.ReadToEndAsync(CancellationToken.None);
            await Assert.ThrowsAsync<IOException>(() => chain.CommitAsync(CancellationToken.None));
        });
        Assert.Empty(bench.Windows.Rows);

        bench.Batches.Fails = false;
        bench.CountToEnd();
        Assert.Equal(1, bench.Total);
    }

    [Fact]
    public void A_fenced_correction_ends_its_owner_for_good()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.Run(async () =>
        {
            using PartitionChain first = bench.Open();
            await first.StartAsync(CancellationToken.None);
            using PartitionChain second = bench.Open();
            await second.StartAsync(CancellationToken.None);
            var key = new WindowKey("ad:a", 1, 1);
            await Assert.ThrowsAsync<ChainFencedException>(() => first.CorrectAsync([new Correction(key, "run", 0, null, new long[4])], CancellationToken.None));
            await Assert.ThrowsAsync<ChainFencedException>(() => first.ReadToEndAsync(CancellationToken.None));
            Assert.True(second.IsCounting);
        });
    }

    [Fact]
    public void What_a_delivery_brought_that_gave_up_waiting_for_room_is_read_from_the_log()
    {
        using var bench = new ChainBench();
        bench.Append(20);
        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(new ChainOptions { BufferBytes = 1 });
            await chain.StartAsync(CancellationToken.None);
            await chain.OfferAsync(bench.Log.Cut(0, 5), CancellationToken.None);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await chain.OfferAsync(bench.Log.Cut(5, 20), new CancellationToken(true)));
            do
            {
                await chain.CommitAsync(CancellationToken.None);
            }
            while (!await chain.ReadToEndAsync(CancellationToken.None));
            Assert.Equal(20, chain.Next);
        });
        Assert.Equal(20, bench.Total);
    }

    [Fact]
    public void Who_waits_for_a_turn_of_a_chain_that_ends_is_told()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.Run(async () =>
        {
            Task correcting;
            Task<bool> committing;
            using (PartitionChain chain = bench.Open())
            {
                await chain.StartAsync(CancellationToken.None);
                await chain.ReadToEndAsync(CancellationToken.None);
                committing = chain.CommitAsync(CancellationToken.None);
                correcting = chain.CorrectAsync([], CancellationToken.None);
            }

            await Assert.ThrowsAsync<InvalidOperationException>(() => correcting);
            await committing;
        });
        bench.CountToEnd();
        Assert.Equal(10, bench.Total);
    }

    [Fact]
    public void A_log_whose_clock_is_far_ahead_does_not_make_the_counts_complete_for_what_is_to_come()
    {
        using var bench = new ChainBench();
        bench.Append(new Entry(0, bench.World.Now + 3_000_000_000, "a", "c0", "", bench.World.Now, Damaged: false));
        bench.CountToEnd();
        Assert.All(bench.Posted, progress => Assert.InRange(progress.CountedUntil, 0, bench.World.Now));
        long ahead = bench.Records.Record!.Stamp;
        bench.Append(3);
        bench.CountToEnd();
        Assert.True(bench.Records.Record!.Stamp > ahead);
        Assert.Equal(4, bench.Total);
    }

    [Fact]
    public void A_partition_that_cannot_start_again_says_until_when_it_was_counted()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.CountToEnd();
        long until = bench.Records.Record!.CountedUntil;
        Assert.InRange(until, 1, bench.World.Now);
        bench.Restore(6);
        bench.Posted.Clear();
        bench.Run(() => Task.Delay(TimeSpan.FromHours(1), bench.World));
        Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        Assert.All(bench.Posted, progress => Assert.Equal(until, progress.CountedUntil));
    }

    [Fact]
    public void Damaged_records_empty_slabs_and_slabs_larger_than_a_batch_pass_the_partition()
    {
        using var bench = new ChainBench();
        for (int n = 0; n < 8; n++)
        {
            bench.Append(new Entry(n, bench.World.Now, "a", $"c{n}", "", bench.World.Now, Damaged: true));
        }

        bench.Run(async () =>
        {
            using PartitionChain chain = bench.Open(new ChainOptions { MaxRecords = 1 });
            await chain.StartAsync(CancellationToken.None);
            await chain.OfferAsync(bench.Log.Cut(0, 8), CancellationToken.None);
            Assert.True(await chain.CommitAsync(CancellationToken.None));
            Assert.Equal(8, chain.Next);
            bench.Log.End = 100; // offsets without a record
            await chain.OfferAsync(bench.Log.Cut(8, 100), CancellationToken.None);
            Assert.True(await chain.CommitAsync(CancellationToken.None));
            Assert.Equal(100, chain.Next);
        });
        bench.Append(2);
        bench.CountToEnd();
        Assert.Equal(102, bench.Records.Record!.Next);
        Assert.Equal(2, bench.Total);
    }

    [Fact]
    public void A_begun_batch_whose_rules_are_gone_stops_the_partition_and_names_both()
    {
        using var bench = new ChainBench();
        bench.Append(10);
        bench.Batches.Fails = true;
        Assert.Throws<IOException>(() => bench.CountToEnd());
        bench.Batches.Fails = false;
        bench.Records.Record = bench.Records.Record! with { Pending = bench.Records.Record.Pending! with { Rules = "gone" } };
        ChainStoppedException stopped = Assert.Throws<ChainStoppedException>(() => bench.CountToEnd());
        Assert.Equal("rules_missing", stopped.Code);
        Assert.Contains("[0, 10)", stopped.Message, StringComparison.Ordinal);
        Assert.Contains("gone", stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_begun_batch_keeps_its_horizon_and_the_next_one_has_the_new_one()
    {
        using var bench = new ChainBench();
        long now = bench.World.Now;
        bench.Append(new Entry(0, now, "a", "same", "", now, Damaged: false));
        bench.Append(new Entry(1, now + 30_000, "a", "same", "", now, Damaged: false));
        bench.Batches.Fails = true;
        Assert.Throws<IOException>(() => bench.CountToEnd(ChainBench.Rules(60_000)));
        bench.Batches.Fails = false;
        CountingRules shorter = ChainBench.Rules(10_000);
        bench.CountToEnd(shorter);
        Assert.Equal(1, bench.Total);
        bench.Append(new Entry(2, now + 60_000, "a", "same", "", now, Damaged: false));
        bench.CountToEnd(shorter);
        Assert.Equal(2, bench.Total);
    }

    [Fact]
    public void What_is_needed_of_the_log_reaches_back_to_the_ids_that_may_be_repeated()
    {
        using var bench = new ChainBench();
        long now = bench.World.Now;
        for (int n = 0; n < 20; n++)
        {
            bench.Append(new Entry(n, now + (n * 10_000), "a", $"c{n}", "", now, Damaged: false));
        }

        bench.CountToEnd(ChainBench.Rules(30_000));
        bench.Append(new Entry(20, now + 200_000, "a", "c20", "", now, Damaged: false));
        bench.CountToEnd(ChainBench.Rules(30_000));
        PartitionProgress counted = bench.Posted.Last(progress => progress.State == PartitionState.Counting);
        Assert.Equal(21, counted.Next);
        Assert.Equal(16, counted.Needed);

        // The log lets go of what is not needed, and a repeat is still known for one.
        bench.Log.Start = counted.Needed;
        bench.Append(new Entry(21, now + 200_001, "a", "c18", "", now, Damaged: false));
        bench.CountToEnd(ChainBench.Rules(30_000));
        Assert.Equal(21, bench.Total);
    }

    private static Correction Recounted(ChainBench bench, WindowKey key, string run)
    {
        long[] minutes = new long[60];
        foreach (Entry entry in bench.Log.Entries.Where(entry => entry.Time / 3_600_000 == key.Hour))
        {
            minutes[entry.Time / 60_000 % 60]++;
        }

        return new Correction(key, run, bench.Records.Record!.Pending?.End ?? bench.Records.Record.Next, minutes, Recount.Quarters(minutes));
    }
}
