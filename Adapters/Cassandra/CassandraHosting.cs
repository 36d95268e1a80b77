using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;
using Orleans.Metadata;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Registers the store with a silo. A process without one opens it with <see cref="CassandraStore.OpenAsync"/>.</summary>
public static class CassandraHosting
{
    /// <summary>
    /// Puts a store behind the two grain storage providers and the ports. Its tables are seen to when the silo starts; where
    /// that fails the silo does not start.
    /// </summary>
    /// <exception cref="ArgumentException">The options have faults; it names them all.</exception>
    public static ISiloBuilder AddCassandraStore(this ISiloBuilder builder, CassandraStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join("; ", faults), nameof(options));
        }

        builder.AddCassandraGrainStorage(StorageNames.State, options.Configure);
        builder.Services.AddKeyedSingleton<IGrainStorageSerializer, DocumentSerializer>(StorageNames.State);
        builder.Services.AddSingleton(services => new CassandraStore(
            services.GetRequiredService<CassandraSessions>().Get(options.Configured()), options, services.GetService<TimeProvider>() ?? TimeProvider.System)
        {
            MarkedBy = services.GetRequiredService<MarkingSilos>().Version,
        });
        builder.Services.AddSingleton<MarkingSilos>();
        builder.Services.AddSingleton<IGrainPropertiesProvider, MarkingSilos.Note>();
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, StoreStart>();
        builder.Services.AddGrainStorage(
            StorageNames.Windows, (services, _) => new CassandraWindowStorage(services.GetRequiredService<CassandraStore>()));
        builder.Services.AddSingleton<IBatchStore>(services => services.GetRequiredService<CassandraStore>());
        builder.Services.AddSingleton(services => services.GetRequiredService<CassandraStore>().Counts);
        builder.Services.AddSingleton(services => services.GetRequiredService<CassandraStore>().Ledger);
        return builder;
    }

    /// <summary>Opens the store before any grain is.</summary>
    private sealed class StoreStart(CassandraStore store) : ILifecycleParticipant<ISiloLifecycle>
    {
        public void Participate(ISiloLifecycle observer) =>
            observer.Subscribe(nameof(CassandraStore), ServiceLifecycleStage.RuntimeStorageServices, store.OpenAsync);
    }
}
