using ClickAggregator.Api.Cluster;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.Silo.Settings;

namespace ClickAggregator.Api.Commands;

/// <summary>A host for a command that asks grains: it answers no client, and says nothing by itself.</summary>
internal static class CommandHost
{
    /// <summary>With the silo of a data directory, over its open log. It counts and archives what is in the log, as the server would.</summary>
    public static WebApplication OnData(ApiSettings settings, PartitionedClickLog log)
    {
        WebApplicationBuilder builder = Silent();
        builder.Services.AddSingleton(log);
        builder.AddEmbeddedSilo(settings);
        return builder.Build();
    }

    /// <summary>As a client of a cluster's silos; it connects for as long as it takes.</summary>
    public static WebApplication OfCluster(ApiSettings settings, CassandraSettings cassandra)
    {
        WebApplicationBuilder builder = Silent();
        builder.AddClusterConnection(settings, cassandra);
        return builder.Build();
    }

    private static WebApplicationBuilder Silent()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder;
    }
}
