using ClickAggregator.Grains.Partitions;
using ClickAggregator.Streaming;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Archive;

/// <summary>Touches the archive of each chain whose log is here, at start and each minute: nothing else wakes them.</summary>
internal sealed partial class ArchiveKeeper(
    IGrainFactory grains, IPartitionLog log, PreviousLog previous, ArchiveBoard board, TimeProvider time, ILogger<ArchiveKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan s_period = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(1);
    private string? _trouble;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan pause = s_again;
            try
            {
                pause = await TouchAsync(stoppingToken) ? s_period : s_again;
                _trouble = null;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // a silo that is still starting, or a log that is away: it is tried again
            catch (Exception error)
#pragma warning restore CA1031
            {
                if (_trouble != error.Message)
                {
                    LogFailed(logger, error);
                    _trouble = error.Message;
                }
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>False while not every partition has its chain: who counts it gives it its number.</summary>
    private async Task<bool> TouchAsync(CancellationToken cancellationToken)
    {
        var logs = new HashSet<string>(StringComparer.Ordinal) { (await log.GetLogIdAsync(cancellationToken)).Value };
        int expected = await log.GetPartitionCountAsync(cancellationToken);
        if (previous.Log is { } old)
        {
            logs.Add((await old.GetLogIdAsync(cancellationToken)).Value);
        }

        IReadOnlyList<RegisteredChain> chains = await grains.GetGrain<IChainRegistryGrain>(0).GetChainsAsync();
        board.Know([.. chains.Select(one => new ArchiveChain(one.Log, one.Partition, one.Number))]);
        RegisteredChain[] here = [.. chains.Where(one => logs.Contains(one.Log))];
        await Task.WhenAll(here.Select(one => grains.GetGrain<IArchiveGrain>(one.Number).TouchAsync()));
        return here.Length >= expected;
    }

    [LoggerMessage(EventId = 2421, Level = LogLevel.Warning, Message = "the archives could not be touched; trying again")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
