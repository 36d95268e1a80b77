using ClickAggregator.Persistence.Cassandra.Clustering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Hosting;
using Orleans.Messaging;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>Registers the membership with silos, and the list of gateways with clients.</summary>
public static class CassandraClusteringHosting
{
    // No name of a storage provider: options are kept by name.
    private const string OptionsName = "cassandra:clustering";
    private const string Provider = "clustering";

    /// <summary>The silos of a cluster find each other in Cassandra.</summary>
    public static ISiloBuilder UseCassandraClustering(this ISiloBuilder builder, Action<CassandraOptions> configure) =>
        builder.UseCassandraClustering(options => options.Configure(configure));

    /// <inheritdoc cref="UseCassandraClustering(ISiloBuilder, Action{CassandraOptions})"/>
    public static ISiloBuilder UseCassandraClustering(this ISiloBuilder builder, Action<OptionsBuilder<CassandraOptions>> configure)
    {
        AddStore(builder.Services, configure);
        builder.Services.AddSingleton<IMembershipTable, CassandraMembershipTable>();
        return builder;
    }

    /// <summary>A client finds the silos of its cluster in Cassandra.</summary>
    public static IClientBuilder UseCassandraClustering(this IClientBuilder builder, Action<CassandraOptions> configure) =>
        builder.UseCassandraClustering(options => options.Configure(configure));

    /// <inheritdoc cref="UseCassandraClustering(IClientBuilder, Action{CassandraOptions})"/>
    public static IClientBuilder UseCassandraClustering(this IClientBuilder builder, Action<OptionsBuilder<CassandraOptions>> configure)
    {
        AddStore(builder.Services, configure);
        builder.Services.AddSingleton<IGatewayListProvider, CassandraGatewayListProvider>();
        return builder;
    }

    private static void AddStore(IServiceCollection services, Action<OptionsBuilder<CassandraOptions>> configure)
    {
        services.AddCassandra(OptionsName, Provider, configure);
        services.AddSingleton(all =>
        {
            (CassandraOptions options, CassandraSession session) = all.GetCassandra(OptionsName, Provider);
            return new MembershipStore(session, all.GetIds(options).Cluster, all.GetRequiredService<ILogger<CassandraMembershipTable>>());
        });
    }
}
