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
            Assert.Equal(cluster.Log.Offsets(partition, 0, 1505), cluster.Consumption.Offsets(partition));
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
}
