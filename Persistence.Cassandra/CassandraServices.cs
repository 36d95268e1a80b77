using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;

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
}
