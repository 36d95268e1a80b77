using ClickAggregator.Streaming.Tests.Clusters;

namespace ClickAggregator.Streaming.Tests;

public class DeliveryTests
{
    [Fact]
    public async Task Every_record_of_every_partition_is_delivered_once_in_order_and_ranges_follow_each_other()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 4, configure: o => o.MaxSlabBytes = 4096);
        for (int partition = 0; partition < 4; partition++)
        {
            cluster.Log.Append(partition, 1000, 100);
            cluster.Log.AppendHole(partition, 3);
            cluster.Log.Append(partition, 500, 100);
            cluster.Log.AppendHole(partition, 2);
        }

        await cluster.CaughtUpAsync();
        for (int partition = 0; partition < 4; partition++)
        {
            cluster.AllProcessedOnceInOrder(partition);
            long at = 0;
            foreach (Delivery delivery in cluster.Consumption.Of(partition))
            {
                Assert.Equal(at, delivery.From);
                Assert.True(delivery.Held);
                at = delivery.To;
            }

            Assert.Equal(1505, at);
        }

        Assert.Empty(cluster.Consumption.Gaps);
    }

    [Fact]
    public async Task A_partition_that_holds_only_holes_still_moves_its_consumer()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 1);
        cluster.Log.AppendHole(0, 7);
        await cluster.CaughtUpAsync(0, 7);
        Assert.Equal((0, 7, 0), cluster.Consumption.Of(0).Select(seen => (seen.From, seen.To, seen.Count)).Single());
    }

    [Fact]
    public async Task Reading_starts_where_the_consumer_stands()
    {
        var consumption = new Consumption();
        consumption.Store(0, 600);
        await using StreamCluster cluster = await StreamCluster.StartAsync(
            partitions: 1, consumption: consumption, fill: log => log.Append(0, 1000, 100));
        await cluster.CaughtUpAsync();
        Assert.Equal(600, consumption.Of(0)[0].From);
        Assert.Equal(cluster.Log.Offsets(0, 600, 1000), consumption.Offsets(0));
    }

    [Fact]
    public async Task A_consumer_that_goes_and_comes_back_gets_each_record_once_and_finds_no_gap()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 1, configure: o => o.MaxSlabBytes = 1024);
        for (int round = 0; round < 20; round++)
        {
            long end = cluster.Log.Append(0, 100, 100);
            if (round % 2 == 0)
            {
                await cluster.CaughtUpAsync(0, end);
            }

            await cluster.Consumer(0).DeactivateAsync();
        }

        cluster.Log.Append(0, 1, 100);
        await cluster.CaughtUpAsync();
        cluster.AllProcessedOnceInOrder(0);
        Assert.Empty(cluster.Consumption.Gaps);
    }

    [Fact]
    public async Task A_consumer_that_resumes_with_an_old_token_gets_everything_from_there_again()
    {
        await using StreamCluster cluster = await StreamCluster.StartAsync(partitions: 1, configure: o => o.MaxSlabBytes = 1024);
        cluster.Log.Append(0, 1000, 100);
        await cluster.CaughtUpAsync(0, 1000);

        cluster.Consumption.Store(0, 123);
        await cluster.Consumer(0).DeactivateAsync();
        cluster.Consumption.Processed.Clear();
        cluster.Log.Append(0, 1, 100);

        await cluster.CaughtUpAsync(0, 1001);
        Assert.Equal(cluster.Log.Offsets(0, 123, 1001), cluster.Consumption.Offsets(0));
        Assert.Empty(cluster.Consumption.Gaps);
    }

    [Fact]
    public async Task A_consumer_that_got_ahead_by_itself_is_not_given_what_it_has()
    {
        var consumption = new Consumption();
        await using StreamCluster cluster = await StreamCluster.StartAsync(
            partitions: 1, consumption: consumption, configure: o => o.MaxSlabBytes = 1024);
        cluster.Log.Append(0, 10, 100);
        await cluster.CaughtUpAsync(0, 10);

        long end = cluster.Log.Append(0, 2000, 100);
        consumption.Store(0, end);
        await cluster.Consumer(0).DeactivateAsync();
        await cluster.Consumer(0).TouchAsync();
        cluster.Log.Append(0, 10, 100);

        await cluster.CaughtUpAsync(0, end + 10);
        Assert.Equal(cluster.Log.Offsets(0, end, end + 10), consumption.Offsets(0).Where(offset => offset >= end));
        Assert.Equal(consumption.Offsets(0).Order().Distinct(), consumption.Offsets(0));
    }

    [Fact]
    public async Task A_slow_consumer_holds_the_reading_back_and_loses_nothing()
    {
        const int cacheBytes = 64 << 10;
        const int slabBytes = 4096;
        var goOn = new TaskCompletionSource();
        var consumption = new Consumption { BeforeSlab = _ => goOn.Task };
        await using StreamCluster cluster = await StreamCluster.StartAsync(
            partitions: 1, consumption: consumption, fill: log => log.Append(0, 20_000, 100), configure: options =>
            {
                options.CacheBytes = cacheBytes;
                options.MaxSlabBytes = slabBytes;
            });

        // The agent looks every 10 ms: once it holds what it may, further looks must not read more.
        await Wait.ForAsync(() => cluster.Log.HeldBytes > cacheBytes / 2, () => cluster.Messages.ToString());
        int before = cluster.Log.Slabs.Count;
        for (int look = 0; look < 20; look++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
            Assert.InRange(cluster.Log.HeldBytes, 0, cacheBytes + slabBytes);
        }

        Assert.InRange(cluster.Log.Slabs.Count, before, before + (cacheBytes / slabBytes));
        goOn.SetResult();
        await cluster.CaughtUpAsync();
        cluster.AllProcessedOnceInOrder(0);
        Assert.Empty(consumption.Gaps);
    }
}
