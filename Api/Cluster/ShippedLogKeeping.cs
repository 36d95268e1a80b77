using ClickAggregator.ClickLog;
using ClickAggregator.Silo;

namespace ClickAggregator.Api.Cluster;

/// <summary>Removes segments of this process's click log that are shipped and past their retention.</summary>
internal sealed partial class ShippedLogKeeping(
    PartitionedClickLog log, IClickLogNeed need, TimeProvider time, ILogger<ShippedLogKeeping> logger) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(s_period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            try
            {
                IReadOnlyList<long> needed = need.FirstNeeded();
                for (int partition = 0; partition < needed.Count; partition++)
                {
                    log.RemoveSegments(partition, needed[partition]);
                }
            }
            catch (IOException error)
            {
                LogFailed(logger, error);
            }
        }
    }

    [LoggerMessage(1503, LogLevel.Warning, "segments of the click log could not be removed, it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
