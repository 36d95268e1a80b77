using System.Net.Sockets;
using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Settings;
using ClickAggregator.Silo.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace ClickAggregator.Silo.Running;

/// <summary>
/// The program from its start to its end: 1. it waits until Cassandra is there; 2. the silo joins the others; 3. health and
/// metrics are answered.
/// </summary>
internal static partial class SiloRun
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(SiloSettings settings, IConfiguration configuration, TimeProvider time)
    {
        try
        {
            while (!await StartAsync(settings, configuration, time))
            {
                // Cassandra went away while it joined: anew, with waiting for it.
            }

            return Environment.ExitCode;
        }
        catch (Exception fault) when (Explain(fault) is { } why)
        {
            return StartFault.Write(Console.Error, "Silo", "silo", [why]);
        }
    }

    /// <returns>False where it could not start for a reason that passes.</returns>
    private static async Task<bool> StartAsync(SiloSettings settings, IConfiguration configuration, TimeProvider time)
    {
        var clock = new ClusterClock(time);
        await using WebApplication app = Build(settings, configuration, clock);
        ILoggerFactory loggers = app.Services.GetRequiredService<ILoggerFactory>();
        using (var signals = new StopSignals())
        {
            if (!await StoreWait.UntilThereAsync(settings, loggers, clock, signals.Stop))
            {
                return true;
            }
        }

        try
        {
            if (!await StoppableStart.StartAsync(app))
            {
                return true;
            }
        }
        catch (Exception fault) when (Passing(fault) is { } away)
        {
            LogAway(loggers.CreateLogger(typeof(SiloRun)), away.Message);
            using var signals = new StopSignals();
            await Task.Delay(s_pause, time, signals.Stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return signals.Stop.IsCancellationRequested;
        }

        Banner.Write(Console.Out, app, settings);
        await app.WaitForShutdownAsync();
        return true;
    }

    private static WebApplication Build(SiloSettings settings, IConfiguration configuration, ClusterClock clock)
    {
        // Nothing is watched: the settings are those given here, and to watch their files is to watch every folder below this one.
        WebApplicationBuilder builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(LogLevels.Defaults);
        builder.Configuration.AddConfiguration(configuration);
        builder.WebHost.UseUrls(settings.Urls);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddSingleton(settings);
        builder.Services.AddHostedService<ClockWatch>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.ShutdownTimeout);
        builder.AddClusterSilo(Options(settings));
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("ClickAggregator*")
            .AddMeter("System.Runtime")
            .AddPrometheusExporter());

        WebApplication app = builder.Build();
        IHostApplicationLifetime life = app.Lifetime;
        app.MapMethods("/health/live", [HttpMethods.Get, HttpMethods.Head], () => Results.Text("live\n"));
        app.MapMethods("/health/ready", [HttpMethods.Get, HttpMethods.Head], () =>
            life.ApplicationStarted.IsCancellationRequested && !life.ApplicationStopping.IsCancellationRequested
                ? Results.Text("ready\n")
                : Results.Text("not ready\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    private static ClusterSiloOptions Options(SiloSettings settings) => new(
        new CountingOptions
        {
            Rollups = settings.Counting.Rollups,
            Horizon = settings.Counting.DuplicateHorizon,
            MaxIds = settings.Counting.DuplicateMaxIds,
            Retention = settings.Counting.RetentionDays,
            TargetsMaySpread = true,
            BatchInterval = settings.Counting.BatchInterval,
            Chain = new ChainOptions { MaxRecords = settings.Counting.BatchMaxRecords },
        },
        settings.Kafka,
        new CassandraStoreOptions
        {
            Cassandra = settings.Cassandra.Configure,
            RetentionMinutes = settings.Counting.RetentionMinutes,
            RetentionDays = settings.Counting.RetentionDays,
        },
        settings.Archive,
        settings.Cluster,
        settings.Endpoint)
    {
        Reconciliation = settings.Reconciliation,
    };

    private static string? Explain(Exception fault) => fault switch
    {
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } => $"urls: {fault.Message}",
        SocketException => $"Cluster:SiloPort, Cluster:GatewayPort: {fault.Message}",
        SchemaUnusableException => $"Cassandra:Keyspace: {fault.Message}",
        CqlException { IsTransient: false } => $"Cassandra: {fault.Message}",
        _ => null,
    };

    /// <summary>What of Cassandra a start failed by, where it may go well the next time.</summary>
    private static CqlException? Passing(Exception? fault) => fault switch
    {
        null => null,
        CqlException { IsTransient: true } away => away,
        AggregateException several => several.InnerExceptions.Select(Passing).FirstOrDefault(away => away is not null),
        _ => Passing(fault.InnerException),
    };

    [LoggerMessage(EventId = 4014, Level = LogLevel.Warning, Message = "Cassandra went away while the silo joined the others; it begins anew: {Reason}")]
    private static partial void LogAway(ILogger logger, string reason);
}
