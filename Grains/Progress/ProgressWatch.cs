using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Progress;

/// <summary>
/// Asks the partitions that other silos count how far they are. Where no answer comes what was known stands, so that
/// <c>counted_until</c> stands still with the counting and lag grows; and asking wakes a partition whose silo has died.
/// </summary>
internal sealed partial class ProgressWatch(IGrainFactory grains, ProgressBoard board, TimeProvider time, ILogger<ProgressWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(board.Elsewhere.Select(partition => AskAsync(partition, stoppingToken)));
            await Task.Delay(Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AskAsync(int partition, CancellationToken cancellationToken)
    {
        try
        {
            board.Hear(await grains.GetGrain<IPartitionGrain>(partition).GetProgressAsync().WaitAsync(Patience, time, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
#pragma warning disable CA1031 // a silo that died, or one that is starting: it is asked again
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogUnheard(logger, fault, partition);
        }
    }

    [LoggerMessage(EventId = 2301, Level = LogLevel.Debug, Message = "partition {Partition} does not say how far it is; it is asked again")]
    private static partial void LogUnheard(ILogger logger, Exception fault, int partition);
}
