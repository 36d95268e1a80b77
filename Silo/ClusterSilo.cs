using System.Net;
using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Silo.Kafka;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Hosting;

namespace ClickAggregator.Silo;

/// <summary>What one of many silos needs to know.</summary>
/// <param name="Counting">What is counted; the same on all.</param>
/// <param name="Kafka">The log that is counted.</param>
/// <param name="Store">Where the counts are.</param>
/// <param name="Archive">Where every raw click is kept; the same for all.</param>
/// <param name="Cluster">Which cluster this is.</param>
/// <param name="Endpoint">Where others reach this silo.</param>
public sealed record ClusterSiloOptions(
    CountingOptions Counting, KafkaSiloOptions Kafka, CassandraStoreOptions Store, ArchiveSettings Archive, ClusterSettings Cluster, SiloEndpointSettings Endpoint)
{
    /// <summary>When hours are recounted from the archive; the same on all.</summary>
    public ReconciliationOptions Reconciliation { get; init; } = new();
}

/// <summary>Composes one silo of a cluster: it counts Kafka's topic, together with the others, into Cassandra.</summary>
public static class ClusterSilo
{
    /// <summary>Adds the silo.</summary>
    public static IHostApplicationBuilder AddClusterSilo(this IHostApplicationBuilder builder, ClusterSiloOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        builder.Services.AddKafkaLog(options.Kafka);
        builder.Services.AddWholeFaults();
        builder.UseOrleans(silo =>
        {
            SiloEndpointSettings endpoint = options.Endpoint;
            if (endpoint.Kubernetes)
            {
                silo.UseKubernetesHosting(); // before the options below, which it also sets, from variables of its own
            }

            silo.Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = options.Cluster.ClusterId;
                cluster.ServiceId = options.Cluster.ServiceId;
            });
            if (endpoint.AdvertisedAddress is { } address)
            {
                silo.ConfigureEndpoints(address, endpoint.SiloPort, endpoint.GatewayPort, listenOnAnyHostAddress: !IPAddress.IsLoopback(address));
            }
            else
            {
                silo.ConfigureEndpoints(endpoint.SiloPort, endpoint.GatewayPort, listenOnAnyHostAddress: true);
            }

            silo.Configure<ClusterMembershipOptions>(membership =>
            {
                // What a dead silo counted stands still until it is declared dead: after three probes that found nobody.
                membership.ProbeTimeout = TimeSpan.FromSeconds(3);

                // Where all have died nobody declares them dead: who comes next waits until their signs of life are old.
                membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
            });
            silo.UseCassandraClustering(options.Store.Cassandra);
            silo.AddCassandraStore(options.Store);
            silo.AddClickCounting(options.Counting);
            silo.AddArchive(options.Archive, options.Kafka.Clicks.Retention);
            silo.UseCassandraReminderService(options.Store.Cassandra);
            silo.AddClickReconciliation(options.Reconciliation);
            silo.AddQueryWarmUp();
            silo.AddDashboard();
        });
        return builder;
    }
}
