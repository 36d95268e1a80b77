using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.ClickLog;
using ClickAggregator.ClickLog.Watch;

namespace ClickAggregator.Api.Watch;

/// <summary>Follows the log files that were named with <c>--watch</c>.</summary>
internal static class WatchSetup
{
    public static void AddWatching(this WebApplicationBuilder builder, ApiSettings settings)
    {
        if (settings.WatchFiles.Count == 0)
        {
            return;
        }

        builder.Services.AddSingleton(provider => new LogWatcher(
            provider.GetRequiredService<PartitionedClickLog>(),
            new WatchOptions
            {
                Patterns = settings.WatchFiles,
                DeadLetterDirectory = Path.Combine(settings.DataDirectory, "dead-letters"),
                LineBytes = settings.Limits.LineBytes,
            },
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LogWatcher>>()));
        builder.Services.AddSingleton(provider =>
        {
            LogWatcher watcher = provider.GetRequiredService<LogWatcher>();
            return new SourceList(() => [.. watcher.Status.Select(View)]);
        });
        builder.Services.AddHostedService<WatchService>();
    }

    private static SourceView View(WatchStatus file) =>
        new(file.Path, file.Position, file.BytesBehind, file.SecondsBehind, file.LastSeen, file.BadLines, file.State);

    private sealed class WatchService(LogWatcher watcher) : BackgroundService
    {
        // Not on the thread of the start: matching walks folders.
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Run(() => watcher.RunAsync(stoppingToken), CancellationToken.None);
    }
}
