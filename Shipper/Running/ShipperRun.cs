using ClickAggregator.ClickLog;
using ClickAggregator.ClickLog.Watch;
using ClickAggregator.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ClickAggregator.Shipper.Running;

/// <summary>
/// The program from its start to its end: log files to a click log of its own, the click log to Kafka. Either side may
/// stand still without the other: between them is a disk.
/// </summary>
internal sealed partial class ShipperRun(
    PartitionedClickLog log, LogWatcher watcher, LogShipper shipper, TimeSpan shutdown, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan s_housekeeping = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_progress = TimeSpan.FromMinutes(1);
    private readonly Progress _progress = new(log, shipper, () => watcher.Status);

    public static async Task<int> StartAsync(ProgramSettings settings, IConfiguration configuration, CancellationToken stop)
    {
        TimeProvider time = TimeProvider.System;
        using ILoggerFactory loggers = LoggerFactory.Create(builder => builder
            .AddConfiguration(configuration.GetSection("Logging"))
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ssZ ";
                console.UseUtcTimestamp = true;
                console.ColorBehavior = LoggerColorBehavior.Disabled;
            }));
        PartitionedClickLog log;
        try
        {
            log = await PartitionedClickLog.OpenAsync(settings.Log, time, loggers, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return StartFault.Write(Console.Error, "Shipper", "shipper", [$"DataDirectory: {e.Message}"]);
        }

        await using (log)
        {
            using var watcher = new LogWatcher(log, settings.Watch, time, loggers.CreateLogger<LogWatcher>());
            using var shipper = new LogShipper(log, settings.Ship with { NoteFile = Path.Combine(settings.Log.Directory, "shipped") }, time, loggers);
            Banner.Write(Console.Out, settings);
            return await new ShipperRun(log, watcher, shipper, settings.ShutdownTimeout, time, loggers.CreateLogger<ShipperRun>()).RunAsync(stop);
        }
    }

    private async Task<int> RunAsync(CancellationToken stop)
    {
        using var stopFollowing = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var stopShipping = new CancellationTokenSource();

        // Not on this thread: matching walks folders.
        Task following = Task.Run(() => watcher.RunAsync(stopFollowing.Token), CancellationToken.None);
        Task shipping = shipper.RunAsync(stopShipping.Token);
        Task keeping = KeepHouseAsync(stopFollowing.Token);
        try
        {
            await Task.WhenAny(following, shipping, keeping);
            await stopFollowing.CancelAsync();
            await following; // what it has begun to append is on the disk then
            await keeping;
            if (log.Failed.IsCompleted)
            {
                LogDiskFailed(logger, await log.Failed);
                return ExitCodes.Failed;
            }

            return await ShipTheRestAsync(shipping);
        }
        catch (Exception e)
        {
            LogUnforeseen(logger, e);
            return ExitCodes.Failed;
        }
        finally
        {
            await stopShipping.CancelAsync();

            // It may sit in a call to brokers that do not answer: then it ends with the process.
            await shipping.WaitAsync(TimeSpan.FromSeconds(2), time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<int> ShipTheRestAsync(Task shipping)
    {
        shipper.Drain();
        using var patience = new CancellationTokenSource(shutdown, time);
        try
        {
            await shipping.WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            LogLeft(logger, _progress.Waiting, shutdown.TotalSeconds);
            return ExitCodes.Done;
        }

        if (shipper.Status.State == ShipState.Stopped)
        {
            // The shipper has said why.
            return ExitCodes.MayNotShip;
        }

        LogDone(logger);
        return ExitCodes.Done;
    }

    /// <summary>Lets go of what is shipped and past its retention, and says how far it is.</summary>
    private async Task KeepHouseAsync(CancellationToken stop)
    {
        long said = time.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(s_housekeeping, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            for (int partition = 0; partition < log.Partitions; partition++)
            {
                long upto = shipper.ShippedUpto(partition);
                try
                {
                    if (log.RemoveSegments(partition, upto) is > 0 and int removed)
                    {
                        LogRemoved(logger, partition, removed, upto);
                    }
                }
                catch (IOException e)
                {
                    LogNotRemoved(logger, partition, e);
                }
            }

            if (time.GetElapsedTime(said) >= s_progress)
            {
                said = time.GetTimestamp();
                if (_progress.Line() is { } line)
                {
                    LogProgress(logger, line);
                }
            }
        }
    }

    [LoggerMessage(1331, LogLevel.Information, "{Line}")]
    private static partial void LogProgress(ILogger logger, string line);

    [LoggerMessage(1332, LogLevel.Information, "stopped; everything that was read is shipped")]
    private static partial void LogDone(ILogger logger);

    [LoggerMessage(1333, LogLevel.Warning, "stopped; {Clicks} clicks could not be shipped within {Seconds} s (Shutdown:Timeout). They are in the data directory, and the next start ships them")]
    private static partial void LogLeft(ILogger logger, long clicks, double seconds);

    [LoggerMessage(1334, LogLevel.Information, "partition {Partition}: {Segments} segments of the click log below offset {Shipped} are shipped and past their retention; removed")]
    private static partial void LogRemoved(ILogger logger, int partition, int segments, long shipped);

    [LoggerMessage(1335, LogLevel.Warning, "partition {Partition}: segments of the click log cannot be removed; it is tried again")]
    private static partial void LogNotRemoved(ILogger logger, int partition, Exception error);

    [LoggerMessage(1336, LogLevel.Critical, "the disk failed, so nothing more can be taken: the shipper ends")]
    private static partial void LogDiskFailed(ILogger logger, Exception error);

    [LoggerMessage(1337, LogLevel.Critical, "the shipper ends")]
    private static partial void LogUnforeseen(ILogger logger, Exception error);
}
