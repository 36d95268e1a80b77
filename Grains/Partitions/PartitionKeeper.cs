using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Partitions;

/// <summary>
/// Touches every partition's grain at start and once a minute: streams wake nobody while nothing arrives, and there
/// may be a batch to replay.
/// </summary>
internal sealed partial class PartitionKeeper(
    IGrainFactory grains, IPartitionLog log, ProgressBoard board, TimeProvider time, ILogger<PartitionKeeper> logger) : BackgroundService
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
                for (int partition = 0; partition < partitions; partition++)
                {
                    // Until something is known of each, nothing can be said of all.
                    board.Expect(partition);
                }

                await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => grains.GetGrain<IPartitionGrain>(partition).TouchAsync()));
                board.Trouble = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // a silo that is still starting, or a log that is away: it is tried again
            catch (Exception error)
#pragma warning restore CA1031
            {
                // Once for each reason: it is tried each second, and the status says it all the while.
                if (board.Trouble != error.Message)
                {
                    LogFailed(logger, ForeseenFaults.Stack(error), error.Message);
                    board.Trouble = error.Message;
                }

                pause = AfterFault;
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Warning, Message = "the partitions could not be touched; trying again: {Reason}")]
    private static partial void LogFailed(ILogger logger, Exception? error, string reason);
}
