using ClickAggregator.Streaming;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Partitions;

/// <summary>
/// Touches every partition's grain at start and once a minute: streams wake nobody while nothing arrives, and there
/// may be a batch to replay.
/// </summary>
internal sealed partial class PartitionKeeper(
    IGrainFactory grains, IPartitionLog log, TimeProvider time, ILogger<PartitionKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan pause = Period;
            try
            {
                int partitions = await log.GetPartitionCountAsync(stoppingToken);
                await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => grains.GetGrain<IPartitionGrain>(partition).TouchAsync()));
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // a silo that is still starting, or a log that is away: it is tried again
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFailed(logger, error);
                pause = AfterFault;
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Warning, Message = "the partitions could not be touched; trying again")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
