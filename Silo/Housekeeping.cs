using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.ClickLog;
using ClickAggregator.Grains.Progress;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Silo;

/// <summary>
/// Forgets what is past its retention: minutes and days in the store, and segments of the click log once nobody needs
/// them (<see cref="IClickLogNeed"/>, <see cref="IArchiveNeed"/>).
/// </summary>
internal sealed partial class Housekeeping(
    SqliteStore store, PartitionedClickLog log, IClickLogNeed need, IArchiveNeed archive, ProgressBoard board, TimeProvider time, ILogger<Housekeeping> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private const int ForgetEvery = 30;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (int round = 1; !stoppingToken.IsCancellationRequested; round++)
        {
            await Task.Delay(Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            try
            {
                // What is counted now is on disk after the checkpoint; only then may the log let go of it.
                long[] needed = [.. need.FirstNeeded().Select((first, partition) => Math.Min(first, archive.FirstNeeded(partition)))];
                await store.CheckpointAsync(stoppingToken);
                for (int partition = 0; partition < needed.Length; partition++)
                {
                    int removed = log.RemoveSegments(partition, needed[partition]);
                    if (removed > 0)
                    {
                        LogRemoved(logger, partition, removed, needed[partition]);
                    }
                }

                if (round % ForgetEvery == 0)
                {
                    // As of what is counted: a click that waits in the log may belong to a day that is past its time by now.
                    long until = board.Snapshot().Select(partition => partition.CountedUntil).Append(time.GetUtcNow().ToUnixTimeMilliseconds()).Min();
                    await store.ForgetAsync(DateTimeOffset.FromUnixTimeMilliseconds(until), stoppingToken);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // whatever it is, it is tried again: nothing that cleans up may end the program
            catch (Exception error)
#pragma warning restore CA1031
            {
                LogFailed(logger, error);
            }
        }
    }

    [LoggerMessage(EventId = 4001, Level = LogLevel.Information, Message = "partition {Partition}: {Segments} segments of the click log below offset {Needed} are needed no more and past their retention; removed")]
    private static partial void LogRemoved(ILogger logger, int partition, int segments, long needed);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "housekeeping failed, and is tried again")]
    private static partial void LogFailed(ILogger logger, Exception error);
}
