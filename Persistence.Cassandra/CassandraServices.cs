using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>What every provider registers.</summary>
internal static class CassandraServices
{
    /// <param name="services">Those of a silo or a client.</param>
    /// <param name="name">Under which the options are kept.</param>
    /// <param name="provider">What faults of the options are told of.</param>
    /// <param name="configure">Sets the options.</param>
    public static void AddCassandra(
        this IServiceCollection services, string name, string provider, Action<OptionsBuilder<CassandraOptions>>? configure)
    {
        configure?.Invoke(services.AddOptions<CassandraOptions>(name));
        services.TryAddSingleton<CassandraSessions>();
        services.AddTransient<IConfigurationValidator>(all =>
            new CassandraOptionsValidator(provider, all.GetRequiredService<IOptionsMonitor<CassandraOptions>>().Get(name)));
        services.ConfigureNamedOptionForLogging<CassandraOptions>(name);
    }

    /// <summary>The options of a provider, and the session that it may share with others.</summary>
    /// <exception cref="OrleansConfigurationException">The options have faults: providers are made before they are validated.</exception>
    public static (CassandraOptions Options, CassandraSession Session) GetCassandra(this IServiceProvider services, string name, string provider)
    {
        CassandraOptions options = services.GetRequiredService<IOptionsMonitor<CassandraOptions>>().Get(name);
        new CassandraOptionsValidator(provider, options).ValidateConfiguration();
        return (options, services.GetRequiredService<CassandraSessions>().Get(options));
    }

    /// <summary>Those of the options, or else of Orleans.</summary>
    public static (string Service, string Cluster) GetIds(this IServiceProvider services, CassandraOptions options)
    {
        ClusterOptions ids = services.GetRequiredService<IOptions<ClusterOptions>>().Value;
        return (options.ServiceId.Length > 0 ? options.ServiceId : ids.ServiceId, options.ClusterId.Length > 0 ? options.ClusterId : ids.ClusterId);
    }
}
