using ClickAggregator.Streaming.Tests.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;
using Orleans.TestingHost;

namespace ClickAggregator.Streaming.Tests.Clusters;

/// <summary>Silos in this process with the provider over one <see cref="MemoryLog"/> and the consumer grains.</summary>
internal sealed class StreamCluster : IAsyncDisposable
{
    private StreamCluster(InProcessTestCluster cluster, MemoryLog log, Consumption consumption, TestLog messages)
    {
        Cluster = cluster;
        Log = log;
        Consumption = consumption;
        Messages = messages;
    }

    public InProcessTestCluster Cluster { get; }

    public MemoryLog Log { get; }

    public Consumption Consumption { get; }

    public TestLog Messages { get; }

    public static async Task<StreamCluster> StartAsync(
        int partitions = 4,
        short silos = 1,
        Action<PartitionStreamOptions>? configure = null,
        Action<MemoryLog>? fill = null,
        Consumption? consumption = null,
        Action<ISiloBuilder>? silo = null)
    {
        var log = new MemoryLog(partitions);
        fill?.Invoke(log);
        consumption ??= new Consumption();
        var messages = new TestLog();
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, siloBuilder) =>
        {
            siloBuilder.Services.AddSingleton<IPartitionLog>(log);
            siloBuilder.Services.AddSingleton<IReaderStart>(consumption);
            siloBuilder.Services.AddSingleton(consumption);
            siloBuilder.Services.AddLogging(logging => logging.AddProvider(messages));
            siloBuilder.AddPartitionStreams("log", options =>
            {
                options.PullPeriod = TimeSpan.FromMilliseconds(10);
                configure?.Invoke(options);
            });
            silo?.Invoke(siloBuilder);
        });
        InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        return new StreamCluster(cluster, log, consumption, messages);
    }

    public IConsumerGrain Consumer(int partition) => Cluster.Client.GetGrain<IConsumerGrain>(partition);

    /// <summary>Waits until the consumer of a partition has processed everything below an offset.</summary>
    public Task CaughtUpAsync(int partition, long to) =>
        Wait.ForAsync(() => Consumption.Next(partition) >= to,
            () => $"partition {partition} stands at {Consumption.Next(partition)}, not {to}\n{Messages}");

    public async Task CaughtUpAsync()
    {
        int partitions = await Log.GetPartitionCountAsync(CancellationToken.None);
        for (int partition = 0; partition < partitions; partition++)
        {
            await CaughtUpAsync(partition, (await Log.GetRangeAsync(partition, CancellationToken.None)).End);
        }
    }

    public void AllProcessedOnceInOrder(int partition) =>
        Assert.Equal(Log.Offsets(partition, 0, long.MaxValue), Consumption.Offsets(partition));

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
