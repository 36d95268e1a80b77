using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo.Running;

/// <summary>Compares the clock with Cassandra's again and again: somebody may set either of them.</summary>
internal sealed class ClockWatch(ClusterClock clock, SiloSettings settings, CassandraSessions sessions, ILogger<ClockWatch> logger) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        CqlDataSource cql = sessions.Get(settings.Cassandra.Options()).Cql;
        using var timer = new PeriodicTimer(s_period, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await clock.CompareAsync(cql, logger, stoppingToken);
                }
                catch (CqlException)
                {
                    // Whoever needs Cassandra says that it is away.
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }
}
