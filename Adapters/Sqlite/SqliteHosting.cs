using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>Registers the store with a silo.</summary>
public static class SqliteHosting
{
    /// <summary>Puts the store behind the two grain storage providers and the ports. The caller disposes the store.</summary>
    public static ISiloBuilder AddSqliteStore(this ISiloBuilder builder, SqliteStore store)
    {
        builder.Services.AddGrainStorage(StorageNames.State, (_, _) => new SqliteStateStorage(store));
        builder.Services.AddGrainStorage(StorageNames.Windows, (_, _) => new SqliteWindowStorage(store));
        builder.Services.AddSingleton<IBatchStore>(store);
        builder.Services.AddSingleton(store.Counts);
        return builder;
    }
}
