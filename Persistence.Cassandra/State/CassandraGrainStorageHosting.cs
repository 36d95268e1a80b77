using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Runtime.Hosting;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using ClickAggregator.Persistence.Cassandra.State;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>Registers the storage of grains' state with a silo.</summary>
public static class CassandraGrainStorageHosting
{
    /// <summary>The storage that grains get which name none.</summary>
    public static ISiloBuilder AddCassandraGrainStorageAsDefault(this ISiloBuilder builder, Action<CassandraOptions> configure) =>
        builder.AddCassandraGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, configure);

    /// <inheritdoc cref="AddCassandraGrainStorageAsDefault(ISiloBuilder, Action{CassandraOptions})"/>
    public static ISiloBuilder AddCassandraGrainStorageAsDefault(
        this ISiloBuilder builder, Action<OptionsBuilder<CassandraOptions>>? configure = null) =>
        builder.AddCassandraGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, configure);

    /// <summary>A storage of a name. Its serializer is the <see cref="IGrainStorageSerializer"/> with that key, else the one without.</summary>
    public static ISiloBuilder AddCassandraGrainStorage(this ISiloBuilder builder, string name, Action<CassandraOptions> configure) =>
        builder.AddCassandraGrainStorage(name, options => options.Configure(configure));

    /// <inheritdoc cref="AddCassandraGrainStorage(ISiloBuilder, string, Action{CassandraOptions})"/>
    public static ISiloBuilder AddCassandraGrainStorage(
        this ISiloBuilder builder, string name, Action<OptionsBuilder<CassandraOptions>>? configure = null)
    {
        builder.Services.AddCassandra(name, $"grain storage '{name}'", configure);
        builder.Services.AddGrainStorage(name, Create);
        return builder;
    }

    private static CassandraGrainStorage Create(IServiceProvider services, string name)
    {
        CassandraOptions options = services.GetRequiredService<IOptionsMonitor<CassandraOptions>>().Get(name);
        return new CassandraGrainStorage(
            name,
            options.ServiceId.Length > 0 ? options.ServiceId : services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId,
            options.MaxStateBytes,
            services.GetRequiredService<CassandraSessions>().Get(options),
            services.GetKeyedService<IGrainStorageSerializer>(name) ?? services.GetRequiredService<IGrainStorageSerializer>(),
            services.GetRequiredService<IActivatorProvider>());
    }
}
