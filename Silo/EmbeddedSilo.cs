using System.Net;
using System.Net.Sockets;
using ClickAggregator.Adapters.ClickLog;
using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Silo.Settings;
using ClickAggregator.Streaming;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;

namespace ClickAggregator.Silo;

/// <summary>What a silo of one process needs to know.</summary>
/// <param name="Counting">What is counted.</param>
/// <param name="Store">Where the counts are.</param>
/// <param name="Archive">Where every raw click is kept.</param>
/// <param name="LogRetention">How long the log that is counted keeps records.</param>
/// <param name="Kafka">The log that is counted; null for the click log.</param>
public sealed record EmbeddedSiloOptions(
    CountingOptions Counting, SqliteOptions Store, ArchiveSettings Archive, TimeSpan LogRetention, KafkaSiloOptions? Kafka = null)
{
    /// <summary>When hours are recounted from the archive.</summary>
    public ReconciliationOptions Reconciliation { get; init; } = new();

    /// <summary>Where archived clicks are counted once more, unless that is Kafka; nothing in it is needed after a restart.</summary>
    public string ReplayDirectory { get; init; } = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Store.Path))!, "replay");
}

/// <summary>
/// Composes the silo that lives in the API's own process, over SQLite: it counts the click log, or Kafka in its place. Then
/// the click log that was counted before is closed where the counting stands, and shipped from there.
/// </summary>
public static class EmbeddedSilo
{
    /// <summary>Adds the silo. The <see cref="PartitionedClickLog"/> is registered by the caller, who opens it before the host starts.</summary>
    public static IHostApplicationBuilder AddEmbeddedSilo(this IHostApplicationBuilder builder, EmbeddedSiloOptions options)
    {
        if (options.Kafka is { } kafka)
        {
            // Each partition of the click log is closed by the one of the same number: with fewer some would never be.
            builder.Services.AddKafkaLog(kafka, services => services.GetRequiredService<PartitionedClickLog>().Partitions);
            builder.Services.AddSingleton(services => new PreviousLog(ClickLog(services)));
            builder.Services.TryAddSingleton<IClickLogNeed, WholeClickLog>();
            builder.Services.AddSingleton<IArchiveNeed, ArchivedBeforeKafka>();
        }
        else
        {
            builder.Services.AddSingleton<IPartitionLog>(services => ClickLog(services));
            builder.Services.TryAddSingleton<IClickLogNeed, CountedClickLog>();
            builder.Services.AddSingleton<IArchiveNeed, ArchivedClickLog>();
            builder.Services.AddSingleton<IReplayLog>(services => new ClickLogReplay(
                options.ReplayDirectory, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILoggerFactory>()));
        }

        builder.UseOrleans(silo =>
        {
            // One process: membership in memory, no gateway, and a port nobody else has, so that several can run.
            silo.UseLocalhostClustering(FreePort(), gatewayPort: 0, serviceId: "clicks", clusterId: "clicks");
            silo.Configure<EndpointOptions>(endpoints => endpoints.AdvertisedIPAddress = IPAddress.Loopback);
            silo.AddSqliteStore(options.Store);
            silo.AddClickCounting(options.Counting);
            silo.AddArchive(options.Archive, options.LogRetention);

            // One process: what a reminder wakes in a cluster, this one's keeper wakes.
            silo.UseInMemoryReminderService();
            silo.AddClickReconciliation(options.Reconciliation);
            silo.Services.AddHostedService<Housekeeping>();
        });
        return builder;
    }

    private static ClickLogPartitionLog ClickLog(IServiceProvider services) => new(services.GetRequiredService<PartitionedClickLog>());

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
