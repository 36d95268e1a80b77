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
    public static async Task<bool> UntilThereAsync(SiloSettings settings, ILoggerFactory loggers, TimeProvider time, CancellationToken stop)
    {
        ILogger logger = loggers.CreateLogger<StoreWait>();
        await using var sessions = new CassandraSessions(loggers, time);
        CassandraSession session = sessions.Get(settings.Cassandra.Options());
        string? said = null;
        long saidAt = 0;
        while (true)
        {
            try
            {
                await session.EnsureAsync(OrleansSchema.Part, stop);
                await session.EnsureAsync(CassandraSchema.Clicks, stop);
                return true;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return false;
            }
            catch (CqlException fault) when (fault.IsTransient)
            {
                if (said != fault.Message || time.GetElapsedTime(saidAt) > s_reminder)
                {
                    LogWaiting(logger, fault.Message);
                    (said, saidAt) = (fault.Message, time.GetTimestamp());
                }
            }

            await Task.Delay(s_pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(EventId = 4011, Level = LogLevel.Warning, Message = "waiting for Cassandra: {Reason}")]
    private static partial void LogWaiting(ILogger logger, string reason);
}
