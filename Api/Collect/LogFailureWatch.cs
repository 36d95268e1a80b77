using Microsoft.Extensions.Hosting;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// Stops the process when the click log failed: after an fsync error nobody knows what is on disk, so nothing may be
/// acknowledged any more. A restart reads what is really there.
/// </summary>
internal sealed partial class LogFailureWatch(Task<Exception> failed, IHostApplicationLifetime lifetime, ILogger<LogFailureWatch> logger)
    : BackgroundService
{
    /// <summary>The process's exit code in this case.</summary>
    public const int ExitCode = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var stopping = Task.Delay(Timeout.Infinite, stoppingToken);
        if (await Task.WhenAny(failed, stopping) != failed)
        {
            return;
        }

        LogFailed(logger, await failed);
        Environment.ExitCode = ExitCode;
        lifetime.StopApplication();
    }

    [LoggerMessage(1002, LogLevel.Critical, "The click log failed: nothing is acknowledged any more, and this process stops")]
    private static partial void LogFailed(ILogger logger, Exception? reason);
}
