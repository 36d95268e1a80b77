using System.Globalization;
using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo.Running;

/// <summary>A silo that starts before Cassandra waits for it, and says so.</summary>
internal sealed partial class StoreWait
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_reminder = TimeSpan.FromMinutes(1);

    /// <returns>False where it was told to stop first.</returns>
    /// <exception cref="CqlException">Waiting does not help: a wrong password, for example.</exception>
    /// <exception cref="SchemaUnusableException">Nor here.</exception>
    public static async Task<bool> UntilThereAsync(SiloSettings settings, ILoggerFactory loggers, ClusterClock clock, CancellationToken stop)
    {
        ILogger logger = loggers.CreateLogger<StoreWait>();
        await using var sessions = new CassandraSessions(loggers, clock);
        CassandraSession session = sessions.Get(settings.Cassandra.Options());
        string? said = null;
        long saidAt = 0;
        while (true)
        {
            try
            {
                await session.EnsureAsync(OrleansSchema.Part, stop);
                await session.EnsureAsync(CassandraSchema.Clicks, stop);
                await clock.CompareAsync(session.Cql, logger, stop);
                if (clock.Ahead == TimeSpan.Zero)
                {
                    return true;
                }

                string off = string.Create(CultureInfo.InvariantCulture, $"{clock.Ahead.Duration().TotalMinutes:N0} minutes {ClusterClock.Direction(clock.Ahead)}");
                Say($"waiting until this machine's clock is right: it is {off} Cassandra's");
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return false;
            }
            catch (CqlException fault) when (fault.IsTransient)
            {
                Say($"waiting for Cassandra: {fault.Message}");
            }

            await Task.Delay(s_pause, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        void Say(string why)
        {
            if (said != why || clock.GetElapsedTime(saidAt) > s_reminder)
            {
                LogWaiting(logger, why);
                (said, saidAt) = (why, clock.GetTimestamp());
            }
        }
    }

    [LoggerMessage(EventId = 4011, Level = LogLevel.Warning, Message = "{Reason}")]
    private static partial void LogWaiting(ILogger logger, string reason);
}
