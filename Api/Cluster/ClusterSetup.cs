using ClickAggregator.Api.Health;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Silo.Settings;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace ClickAggregator.Api.Cluster;

/// <summary>Makes the program a client of a cluster: it collects and answers, and silos elsewhere count.</summary>
internal static class ClusterSetup
{
    // A silo that died answers nothing; another one is asked when this has passed.
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(5);

    public static void AddClusterClient(this WebApplicationBuilder builder, ApiSettings settings, CassandraSettings cassandra)
    {
        builder.AddClusterConnection(settings, cassandra, client => client.AddDashboard());
        if (settings.ReadsArchive)
        {
            settings.Archive.AddTo(builder.Services); // for traces and exports; which objects there are the silos say
        }

        Add<CountingWatch>(builder.Services);
        builder.Services.AddHostedService<ShippedLogKeeping>();
        builder.Services.AddSingleton<ProgressBoard>();
        builder.Services.AddSingleton(services => new SeriesClient(
            services.GetRequiredService<Silos>(), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<SourceProgress>()));
        Add<AnswerWarmUp>(builder.Services);
        builder.Services.AddSingleton(services => new ReadinessCheck(
            "silos", ReadinessScope.Queries, () => services.GetRequiredService<CountingWatch>().Trouble ?? services.GetRequiredService<AnswerWarmUp>().Trouble));
    }

    /// <summary>Adds the connection to the silos alone: <see cref="Silos"/>.</summary>
    public static void AddClusterConnection(
        this IHostApplicationBuilder builder, ApiSettings settings, CassandraSettings cassandra, Action<IClientBuilder>? more = null)
    {
        builder.Services.AddWholeFaults();
        int others = builder.Services.Count;
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = settings.Cluster.ClusterId;
                cluster.ServiceId = settings.Cluster.ServiceId;
            });
            client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = s_answer);
            client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(5));
            client.UseCassandraClustering(cassandra.Configure);
            more?.Invoke(client);
        });

        // Not with the host, whose start would wait for silos: ClusterConnection starts it.
        foreach (ServiceDescriptor start in builder.Services.Skip(others).Where(service => service.ServiceType == typeof(IHostedService)).ToArray())
        {
            builder.Services.Remove(start);
        }

        builder.Services.AddSingleton<ConnectionRetry>();
        builder.Services.AddSingleton<IClientConnectionRetryFilter>(services => services.GetRequiredService<ConnectionRetry>());
        Add<ClusterConnection>(builder.Services);
        builder.Services.AddSingleton(services => new Silos(
            () => services.GetRequiredService<ClusterConnection>().Grains, services.GetRequiredService<TimeProvider>()));
    }

    private static void Add<T>(IServiceCollection services)
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(all => all.GetRequiredService<T>());
    }
}
