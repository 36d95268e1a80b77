using ClickAggregator.Streaming.Kafka.Tests.Servers;
using ClickAggregator.Streaming.Tests.Clusters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;
using Orleans.TestingHost;

namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

/// <summary>Silos in this process and a client, each with the providers of a test.</summary>
internal sealed class KafkaCluster : IAsyncDisposable
{
    public const string Provider = "kafka";

    private KafkaCluster(InProcessTestCluster cluster, Consumption consumption, TestLog messages)
    {
        Cluster = cluster;
        Consumption = consumption;
        Messages = messages;
    }

    public InProcessTestCluster Cluster { get; }

    public Consumption Consumption { get; }

    public TestLog Messages { get; }

    /// <summary>A provider over one topic.</summary>
    public static Task<KafkaCluster> StartAsync(
        TestTopic topic, string streamNamespace, Action<KafkaStreamOptions>? configure = null, short silos = 1, Action<ISiloBuilder>? silo = null) =>
        StartAsync(silos, silo, (Provider, Over(topic, streamNamespace, configure)));

    public static async Task<KafkaCluster> StartAsync(
        short silos, Action<ISiloBuilder>? silo, params (string Name, Action<KafkaStreamOptions> Configure)[] providers)
    {
        var consumption = new Consumption();
        var messages = new TestLog();
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, siloBuilder) =>
        {
            siloBuilder.Services.AddSingleton(consumption);
            siloBuilder.Services.AddLogging(logging => logging.AddProvider(messages));
            foreach ((string name, Action<KafkaStreamOptions> configure) in providers)
            {
                siloBuilder.AddKafkaStreams(name, configure);
            }

            silo?.Invoke(siloBuilder);
        });
        builder.ConfigureClient(client =>
        {
            foreach ((string name, Action<KafkaStreamOptions> configure) in providers)
            {
                client.AddKafkaStreams(name, configure);
            }
        });
        InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        return new KafkaCluster(cluster, consumption, messages);
    }

    public static Action<KafkaStreamOptions> Over(TestTopic topic, string streamNamespace, Action<KafkaStreamOptions>? configure = null) =>
        options =>
        {
            options.Log.BootstrapServers = topic.Options.BootstrapServers;
            options.Log.Topic = topic.Name;
            options.Log.Partitions = topic.Options.Partitions;
            options.Log.RequestTimeout = TimeSpan.FromSeconds(2);
            options.Streams.Namespace = streamNamespace;
            options.Streams.PullPeriod = TimeSpan.FromMilliseconds(10);
            options.Streams.PartitionCheckPeriod = TimeSpan.FromMilliseconds(200);
            configure?.Invoke(options);
        };

    public IAsyncStream<T> Stream<T>(string streamNamespace, long partition, string provider = Provider) =>
        Stream<T>(StreamId.Create(streamNamespace, partition), provider);

    public IAsyncStream<T> Stream<T>(StreamId stream, string provider = Provider) =>
        Cluster.Client.GetStreamProvider(provider).GetStream<T>(stream);

    public IProducerGrain Producer => Cluster.Client.GetGrain<IProducerGrain>(0);

    /// <summary>Waits until so many items of a partition were delivered.</summary>
    public async Task<Seen[]> DeliveredAsync(string streamNamespace, int partition, int count)
    {
        await UntilAsync(() => Consumption.Delivered(streamNamespace, partition).Length >= count,
            () => $"{Consumption.Delivered(streamNamespace, partition).Length} of {count} were delivered");
        return Consumption.Delivered(streamNamespace, partition);
    }

    /// <summary>Waits until the progress of a partition has reached an offset.</summary>
    public Task CaughtUpAsync(string streamNamespace, int partition, long end) =>
        UntilAsync(() => Consumption.Next(streamNamespace, partition) >= end,
            () => $"partition {partition} stands at {Consumption.Next(streamNamespace, partition)}, not {end}");

    /// <summary>Waits until the silos read so many partitions each.</summary>
    public async Task SpreadAsync(params int[] expected)
    {
        int[] seen = [];
        await Servers.Following.UntilAsync(async () =>
        {
            object?[] counts = await Cluster.Client.GetGrain<IManagementGrain>(0).SendControlCommandToProvider<PersistentStreamProvider>(
                Provider, (int)PersistentStreamProviderCommand.GetNumberRunningAgents);
            seen = [.. counts.Select(count => (int)count!).Order()];
            return seen.AsSpan().SequenceEqual(expected);
        });
    }

    public async Task UntilAsync(Func<bool> holds, Func<string> otherwise)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (!holds())
        {
            Assert.False(deadline.IsCancellationRequested, $"{otherwise()}\n{Messages}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
