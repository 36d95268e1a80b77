using ClickAggregator.Persistence.Cassandra.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Runtime.Hosting;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

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
        builder.Services.AddCassandra(name, Provider(name), configure);
        builder.Services.AddGrainStorage(name, Create);
        return builder;
    }

    private static string Provider(string name) => $"grain storage '{name}'";

    private static CassandraGrainStorage Create(IServiceProvider services, string name)
    {
        (CassandraOptions options, CassandraSession session) = services.GetCassandra(name, Provider(name));
        return new CassandraGrainStorage(
            name,
            services.GetIds(options).Service,
            options.MaxStateBytes,
            session,
            services.GetKeyedService<IGrainStorageSerializer>(name) ?? services.GetRequiredService<IGrainStorageSerializer>(),
            services.GetRequiredService<IActivatorProvider>());
    }
}
