using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>Registers the store with a silo.</summary>
public static class SqliteHosting
{
    /// <summary>
    /// Puts a store behind the two grain storage providers and the ports. It is opened when it is first needed, and
    /// disposed with the container.
    /// </summary>
    public static ISiloBuilder AddSqliteStore(this ISiloBuilder builder, SqliteOptions options)
    {
        builder.Services.AddSingleton(services => SqliteStore.Open(options, services.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddGrainStorage(
            StorageNames.State, (services, _) => new SqliteStateStorage(services.GetRequiredService<SqliteStore>()));
        builder.Services.AddGrainStorage(
            StorageNames.Windows, (services, _) => new SqliteWindowStorage(services.GetRequiredService<SqliteStore>()));
        builder.Services.AddSingleton<IBatchStore>(services => services.GetRequiredService<SqliteStore>());
        builder.Services.AddSingleton(services => services.GetRequiredService<SqliteStore>().Counts);
        builder.Services.AddSingleton(services => services.GetRequiredService<SqliteStore>().Ledger);
        return builder;
    }
}
