using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>
/// Wakes the reconciliation, and what is to be erased, at start and once a minute, beside its reminder, and hears how far the ledger is.
/// </summary>
internal sealed partial class ReconciliationKeeper(IGrainFactory grains, LedgerBoard board, TimeProvider time, ILogger<ReconciliationKeeper> logger) : BackgroundService
{
    private const int TouchEvery = 12;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (int round = 0; !stoppingToken.IsCancellationRequested; round++)
        {
            try
            {
                IReconciliationGrain grain = grains.GetGrain<IReconciliationGrain>(0);
                if (round % TouchEvery == 0)
                {
                    await grain.TouchAsync();
                    await grains.GetGrain<IErasureGrain>(0).TouchAsync();
                }

                board.Hear(await grain.GetPositionAsync());
            }
#pragma warning disable CA1031 // a silo that is still starting, a store that is away, a grain that moves and cancels its calls: it is asked again
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFailed(logger, error);
            }

            await Task.Delay(Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(EventId = 2511, Level = LogLevel.Debug, Message = "the reconciliation could not be woken; trying again")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
