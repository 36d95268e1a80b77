using ClickAggregator.Streaming.Kafka.Items;
using ClickAggregator.Streaming.Kafka.Producing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Hosting;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Kafka;

/// <summary>Registers streams over a topic of Kafka with a silo or a client.</summary>
public static class KafkaStreamsHosting
{
    /// <summary>
    /// Adds a stream provider over a topic. Partition p is the stream (namespace, p); its consumer is the grain with the
    /// integer key p and an implicit subscription, which resumes as <see cref="Slab"/>s, <see cref="KafkaMessage"/>s, bytes or
    /// items of its own type. Producers use any stream of the namespace.
    /// </summary>
    /// <param name="builder">The silo.</param>
    /// <param name="name">The provider's name.</param>
    /// <param name="configure">Sets the options.</param>
    public static ISiloBuilder AddKafkaStreams(this ISiloBuilder builder, string name, Action<KafkaStreamOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.ConfigureServices(services =>
        {
            AddParts(services, name, configure);
            services.AddOptions<PartitionStreamOptions>(name)
                .Configure<IOptionsMonitor<KafkaStreamOptions>>((streams, ours) => Copy(ours.Get(name).Streams, streams));
            services.TryAddKeyedSingleton<IPartitionLog>(name, (provider, _) => provider.GetRequiredKeyedService<EnsuredTopic>(name));
            services.TryAddKeyedSingleton<IReaderStart>(name, (provider, _) =>
                provider.GetService<IReaderStart>()
                ?? new KafkaReaderStart(provider.GetRequiredKeyedService<EnsuredTopic>(name), Options(provider, name).Start));
            services.AddKeyedSingleton<IItemReader>(name, (provider, _) => new RecordItems(
                name, Options(provider, name), provider.GetRequiredService<ILogger<RecordItems>>()));
            services.AddKeyedSingleton<IItemWriter>(name, (provider, _) => provider.GetRequiredKeyedService<RecordWriter>(name));
        });
        return builder.AddPartitionStreams(name);
    }

    /// <summary>
    /// Adds a stream provider over a topic to a client, which produces. It does not consume: subscriptions are implicit, and
    /// so consumers are grains.
    /// </summary>
    /// <param name="builder">The client.</param>
    /// <param name="name">The provider's name.</param>
    /// <param name="configure">Sets the options.</param>
    public static IClientBuilder AddKafkaStreams(this IClientBuilder builder, string name, Action<KafkaStreamOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.ConfigureServices(services =>
        {
            AddParts(services, name, configure);
            services.AddKeyedSingleton<IStreamProvider>(name, (provider, _) =>
                new ProducingProvider(name, provider.GetRequiredKeyedService<RecordWriter>(name)));
        });
        return builder;
    }

    private static void AddParts(IServiceCollection services, string name, Action<KafkaStreamOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<KafkaStreamOptions>(name).Configure(configure);
        // Before the one of the partition streams, so that all faults are told at once.
        services.AddSingleton<IConfigurationValidator>(provider => new KafkaStreamOptionsValidator(name, Options(provider, name)));
        services.AddKeyedSingleton(name, (provider, _) =>
        {
            KafkaStreamOptions options = Options(provider, name);
            return new EnsuredTopic(options.Log, options.Mapping, options.EnsureTopic, Time(provider), provider.GetRequiredService<ILoggerFactory>());
        });
        services.AddKeyedSingleton(name, (provider, _) => new RecordWriter(
            name, Options(provider, name), provider.GetRequiredKeyedService<EnsuredTopic>(name), Time(provider),
            provider.GetRequiredService<ILogger<RecordWriter>>()));
    }

    private static KafkaStreamOptions Options(IServiceProvider provider, string name) =>
        provider.GetRequiredService<IOptionsMonitor<KafkaStreamOptions>>().Get(name);

    private static TimeProvider Time(IServiceProvider provider) => provider.GetService<TimeProvider>() ?? TimeProvider.System;

    private static void Copy(PartitionStreamOptions from, PartitionStreamOptions to)
    {
        to.PullPeriod = from.PullPeriod;
        to.MaxSlabBytes = from.MaxSlabBytes;
        to.CacheBytes = from.CacheBytes;
        to.Namespace = from.Namespace;
        to.MaxDeliveryTime = from.MaxDeliveryTime;
        to.PartitionCheckPeriod = from.PartitionCheckPeriod;
    }
}
