using ClickAggregator.Streaming.Tests.Clusters;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Orleans.TestingHost;

namespace ClickAggregator.Streaming.Tests;

public class ClusterTests
{
    [Fact]
    public async Task Silos_share_the_partitions_evenly_and_all_ranges_are_covered_as_silos_come_and_go()
    {
        const int partitions = 8;
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions, silos: 1, o => o.MaxSlabBytes = 2048);
        await RoundAsync(8);

        await cluster.Cluster.StartAdditionalSiloAsync();
        await RoundAsync(4, 4);

        InProcessSiloHandle third = await cluster.Cluster.StartAdditionalSiloAsync();
        await RoundAsync(2, 3, 3);

        AppendAll();
        await cluster.Cluster.StopSiloAsync(third, TestContext.Current.CancellationToken);
        await RoundAsync(4, 4);

        for (int partition = 0; partition < partitions; partition++)
        {
            cluster.AllProcessedOnceInOrder(partition);
        }

        async Task RoundAsync(params int[] spread)
        {
            AppendAll();
            await cluster.SpreadAsync(spread);
            AppendAll();
            await cluster.CaughtUpAsync();
        }

        void AppendAll()
        {
            for (int partition = 0; partition < partitions; partition++)
            {
                cluster.Log.Append(partition, 100, 100);
            }
        }
    }

    [Fact]
    public async Task A_silo_that_dies_leaves_no_range_uncovered()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 4, silos: 2, o => o.MaxSlabBytes = 2048);
        await cluster.SpreadAsync(2, 2);
        AppendAll();
        await cluster.CaughtUpAsync();

        await cluster.Cluster.KillSiloAsync(cluster.Cluster.Silos[1], TestContext.Current.CancellationToken);
        AppendAll();
        await cluster.SpreadAsync(4);
        AppendAll();
        await cluster.CaughtUpAsync();

        for (int partition = 0; partition < 4; partition++)
        {
            Assert.Equal(
                cluster.Log.Offsets(partition, 0, long.MaxValue),
                cluster.Consumption.Offsets(partition).Order().Distinct());
        }

        void AppendAll()
        {
            for (int partition = 0; partition < 4; partition++)
            {
                cluster.Log.Append(partition, 100, 100);
            }
        }
    }

    [Fact]
    public async Task A_slab_travels_to_a_consumer_on_another_silo_and_can_be_read_there()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 4, silos: 2, o => o.MaxSlabBytes = 8192);
        await cluster.SpreadAsync(2, 2);
        SiloAddress home = cluster.Cluster.Silos[0].SiloAddress;
        for (int partition = 0; partition < 4; partition++)
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, home);
            Assert.Equal(home.ToString(), await cluster.Consumer(partition).TouchAsync());
            RequestContext.Clear();
            cluster.Log.Append(partition, 500, 100);
        }

        await cluster.CaughtUpAsync();
        for (int partition = 0; partition < 4; partition++)
        {
            cluster.AllProcessedOnceInOrder(partition);
            Assert.All(cluster.Consumption.Of(partition), delivery => Assert.Equal((home, true), (delivery.Silo, delivery.Held)));
        }

        Assert.Empty(cluster.Consumption.Gaps);
    }

    [Fact]
    public async Task Partitions_that_are_added_are_read_without_a_restart()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(
            partitions: 2, silos: 2, o => o.PartitionCheckPeriod = TimeSpan.FromMilliseconds(100));
        await cluster.SpreadAsync(1, 1);
        cluster.Log.Append(0, 100, 100);
        await cluster.CaughtUpAsync();

        cluster.Log.AddPartitions(3);
        for (int partition = 0; partition < 5; partition++)
        {
            cluster.Log.Append(partition, 100, 100);
        }

        await cluster.SpreadAsync(2, 3);
        await cluster.CaughtUpAsync();
        for (int partition = 0; partition < 5; partition++)
        {
            cluster.AllProcessedOnceInOrder(partition);
        }
    }

    [Fact]
    public async Task A_silo_starts_while_the_log_is_away_says_so_and_reads_once_it_is_there()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(
            partitions: 2, silos: 1, o => o.PartitionCheckPeriod = TimeSpan.FromMilliseconds(100), log => log.BeAway(true));
        await Wait.ForAsync(
            () => cluster.Messages.Lines.Any(line => line.Contains("does not say how many partitions", StringComparison.Ordinal)),
            () => $"nothing was said\n{cluster.Messages}");

        cluster.Log.BeAway(false);
        cluster.Log.Append(0, 100, 100);
        cluster.Log.Append(1, 100, 100);
        await cluster.CaughtUpAsync();
        cluster.AllProcessedOnceInOrder(0);
        cluster.AllProcessedOnceInOrder(1);
    }

    [Fact]
    public async Task A_graceful_stop_gives_back_every_lease_and_loses_nothing()
    {
        StreamCluster cluster = await StreamCluster.StartAsync(partitions: 4, silos: 1, o => o.MaxSlabBytes = 1024);
        for (int partition = 0; partition < 4; partition++)
        {
            cluster.Log.Append(partition, 5000, 100);
        }

        await cluster.CaughtUpAsync(0, 1000);
        await cluster.Cluster.StopAllSilosAsync(TestContext.Current.CancellationToken);
        for (int partition = 0; partition < 4; partition++)
        {
            long[] seen = cluster.Consumption.Offsets(partition);
            Assert.Equal(cluster.Log.Offsets(partition, 0, cluster.Consumption.Next(partition)), seen);
        }

        Assert.NotEmpty(cluster.Log.Slabs);
        Assert.Equal(0, cluster.Log.HeldBytes);
        await cluster.DisposeAsync();
    }
}
