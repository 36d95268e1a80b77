using ClickAggregator.Streaming.Tests.Clusters;

namespace ClickAggregator.Streaming.Tests;

public class FaultTests
{
    [Fact]
    public async Task A_slab_that_its_consumer_refused_is_delivered_again_before_the_next()
    {
        int refused = 0;
        var consumption = new Consumption
        {
            BeforeSlab = delivery => delivery.From > 0 && Interlocked.Increment(ref refused) == 1
                ? throw new InvalidOperationException("the store is away")
                : Task.CompletedTask,
        };
        await using StreamCluster cluster = await StreamCluster.StartAsync(
            partitions: 1, consumption: consumption, fill: log => log.Append(0, 100, 100), configure: o => o.MaxSlabBytes = 1024);
        await cluster.CaughtUpAsync();
        cluster.AllProcessedOnceInOrder(0);
        Assert.Empty(consumption.Gaps);
        Assert.True(refused > 1);
    }

    [Fact]
    public async Task A_slab_that_is_refused_for_longer_than_it_is_retried_shows_as_a_gap_that_the_consumer_fills()
    {
        bool away = true;
        var consumption = new Consumption
        {
            BeforeSlab = delivery => Volatile.Read(ref away) && delivery.From == 0
                ? throw new InvalidOperationException("the store is away")
                : Task.CompletedTask,
        };
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 1, consumption: consumption, configure: options =>
        {
            options.MaxSlabBytes = 1024;
            options.MaxDeliveryTime = TimeSpan.FromSeconds(1);
        });
        cluster.Log.Append(0, 5, 100);

        // New records come in all the while, as they do.
        await Wait.ForAsync(
            () =>
            {
                cluster.Log.Append(0, 1, 100);
                return consumption.Of(0).Any(delivery => delivery.From > 0);
            },
            () => cluster.Messages.ToString());
        Volatile.Write(ref away, false);
        cluster.Log.Append(0, 1, 100);

        await cluster.CaughtUpAsync();
        cluster.AllProcessedOnceInOrder(0);
        Assert.Contains(consumption.Gaps, gap => gap.From == 0);
    }

    [Fact]
    public async Task A_log_that_fails_for_a_while_is_read_on_where_it_stood()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 1, configure: o => o.MaxSlabBytes = 1024);
        cluster.Log.Append(0, 50, 100);
        await cluster.CaughtUpAsync();
        cluster.Log.FailReads(3);
        await Wait.ForAsync(() => cluster.Messages.Lines.Any(line => line.Contains("could not be read")), () => "no warning");
        cluster.Log.Append(0, 50, 100);
        await cluster.CaughtUpAsync();
        cluster.AllProcessedOnceInOrder(0);
        Assert.Empty(cluster.Consumption.Gaps);
    }

    [Fact]
    public async Task A_start_below_what_the_log_still_holds_shows_as_a_gap_and_is_said()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 1, fill: log =>
        {
            log.Append(0, 100, 100);
            log.TrimStart(0, 40);
        });
        await cluster.CaughtUpAsync();
        Assert.Equal((0, 0, 40), cluster.Consumption.Gaps.First());
        Assert.Equal(cluster.Log.Offsets(0, 40, 100), cluster.Consumption.Offsets(0));
        Assert.Contains(cluster.Messages.Lines, line => line.Contains("no longer holds the offsets [0, 40)"));
    }

    [Fact]
    public async Task A_start_beyond_the_end_of_the_log_reads_nothing_and_says_so_until_the_log_is_that_long_again()
    {
        var consumption = new Consumption();
        consumption.Store(0, 80);
        await using StreamCluster cluster = await StreamCluster.StartAsync(
            partitions: 1, consumption: consumption, fill: log => log.Append(0, 50, 100));
        await Wait.ForAsync(
            () => cluster.Messages.Lines.Any(line => line.Contains("counted up to offset 80 and its log ends at 50")),
            () => cluster.Messages.ToString());
        Assert.Empty(consumption.Of(0));

        cluster.Log.Append(0, 50, 100);
        await cluster.CaughtUpAsync(0, 100);
        Assert.Equal(cluster.Log.Offsets(0, 80, 100), consumption.Offsets(0));
    }
}
