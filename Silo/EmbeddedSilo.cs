using System.Net;
using System.Net.Sockets;
using ClickAggregator.Adapters.ClickLog;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Streaming;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;

namespace ClickAggregator.Silo;

/// <summary>What a silo of one process needs to know.</summary>
/// <param name="Counting">What is counted.</param>
/// <param name="Store">Where the counts are.</param>
public sealed record EmbeddedSiloOptions(CountingOptions Counting, SqliteOptions Store);

/// <summary>Composes the silo that lives in the API's own process: click log, SQLite, no server.</summary>
public static class EmbeddedSilo
{
    /// <summary>Adds the silo. The <see cref="PartitionedClickLog"/> is registered by the caller, who opens it before the host starts.</summary>
    public static IHostApplicationBuilder AddEmbeddedSilo(this IHostApplicationBuilder builder, EmbeddedSiloOptions options)
    {
        builder.Services.AddSingleton<IPartitionLog>(services => new ClickLogPartitionLog(services.GetRequiredService<PartitionedClickLog>()));
        builder.UseOrleans(silo =>
        {
            // One process: membership in memory, no gateway, and a port nobody else has, so that several can run.
            silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, serviceId: "clicks", clusterId: "clicks");
            silo.Configure<EndpointOptions>(endpoints => endpoints.AdvertisedIPAddress = IPAddress.Loopback);
            silo.AddSqliteStore(options.Store);
            silo.AddClickCounting(options.Counting);
            silo.Services.AddHostedService<Housekeeping>();
        });
        return builder;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
