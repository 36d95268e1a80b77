using ClickAggregator.Grains;
using ClickAggregator.Grains.Progress;

namespace ClickAggregator.Api.Cluster;

/// <summary>
/// Asks the silos how far each partition is, and whether their store can be read, for the status, the metrics and the readiness of this
/// process.
/// </summary>
internal sealed class CountingWatch(ClusterConnection cluster, ProgressBoard board, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Why the silos do not say it; null while they do.</summary>
    public string? Trouble { get; private set; } = "not asked yet";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                ISeriesGrain series = cluster.Grains.GetGrain<ISeriesGrain>(0);
                CountingProgress progress = await series.GetProgressAsync().WaitAsync(s_patience, time, stoppingToken);
                foreach (PartitionProgress partition in progress.Partitions)
                {
                    board.Post(partition);
                }

                board.Trouble = progress.Trouble;
                await series.CheckStoreAsync().WaitAsync(s_patience, time, stoppingToken);
                Trouble = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // no silo is there, or the one that was asked has died: it is asked again
            catch (Exception fault)
#pragma warning restore CA1031
            {
                Trouble = SiloFaults.Words(fault);
                board.Trouble = Trouble;
            }

            await Task.Delay(s_period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
