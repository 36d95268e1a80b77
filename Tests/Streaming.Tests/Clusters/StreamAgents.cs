using Orleans.Providers.Streams.Common;
using Orleans.Runtime;

namespace ClickAggregator.Streaming.Tests.Clusters;

internal static class StreamAgents
{
    /// <summary>How many partitions each silo reads.</summary>
    public static async Task<int[]> AgentsAsync(this StreamCluster cluster)
    {
        object?[] counts = await cluster.Cluster.Client.GetGrain<IManagementGrain>(0)
            .SendControlCommandToProvider<PersistentStreamProvider>(
                "log", (int)PersistentStreamProviderCommand.GetNumberRunningAgents);
        return [.. counts.Select(count => (int)count!).Order()];
    }

    /// <summary>Waits until the silos read so many partitions each.</summary>
    public static async Task SpreadAsync(this StreamCluster cluster, params int[] expected)
    {
        int[] seen = [];
        for (int attempt = 0; attempt < 3000; attempt++)
        {
            seen = await cluster.AgentsAsync();
            if (seen.AsSpan().SequenceEqual(expected))
            {
                return;
            }

            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"the silos read [{string.Join(", ", seen)}] partitions, not [{string.Join(", ", expected)}]\n{cluster.Messages}");
    }
}
