using ClickAggregator.Streaming.Balancing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>Registers partition streams with a silo.</summary>
public static class PartitionStreamsHosting
{
    /// <summary>
    /// Adds a persistent stream provider over the <see cref="IPartitionLog"/> and the <see cref="IReaderStart"/> that
    /// are registered under <paramref name="name"/>, or else without a key. Partition p is the stream (namespace, p),
    /// its items are <see cref="Slab"/>s, its consumer the grain with the integer key p and an implicit subscription.
    /// </summary>
    /// <param name="builder">The silo.</param>
    /// <param name="name">The provider's name.</param>
    /// <param name="configure">Sets the options.</param>
    public static ISiloBuilder AddPartitionStreams(
        this ISiloBuilder builder, string name, Action<PartitionStreamOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        builder.ConfigureServices(services =>
        {
            services.AddOptions<PartitionStreamOptions>(name).Configure(options => configure?.Invoke(options));
            services.AddSingleton<IConfigurationValidator>(provider => new PartitionStreamOptionsValidator(provider, name));
        });
        return builder.AddPersistentStreams(name, PartitionAdapterFactory.Create, streams =>
        {
            // With explicit subscriptions every stream would write a rendezvous grain.
            streams.Configure<StreamPubSubOptions>(pubSub =>
                pubSub.Configure(options => options.PubSubType = StreamPubSubType.ImplicitOnly));
            streams.ConfigurePullingAgent(agent => agent.Configure<IOptionsMonitor<PartitionStreamOptions>>((options, ours) =>
            {
                options.GetQueueMsgsTimerPeriod = ours.Get(name).PullPeriod;
                options.MaxEventDeliveryTime = ours.Get(name).MaxDeliveryTime;
                // A slab is many records already, and the interface that protects a batch of containers is internal.
                options.BatchContainerBatchSize = 1;
            }));
            streams.ConfigurePartitionBalancing(RendezvousQueueBalancer.Create);
        });
    }
}
