using ClickAggregator.Grains;

namespace ClickAggregator.Api.Cluster;

/// <summary>
/// Connects to the silos in the background, for as long as it takes: clicks are accepted meanwhile, and queries are answered
/// with <c>store_unavailable</c>. A connection that is lost is made again by Orleans itself.
/// </summary>
internal sealed partial class ClusterConnection(IClusterClient client, ConnectionRetry retry, ILogger<ClusterConnection> logger) : BackgroundService
{
    private volatile bool _connected;

    /// <summary>The cluster's grains.</summary>
    /// <exception cref="StoreUnavailableException">No silo was reached yet.</exception>
    public IGrainFactory Grains => _connected
        ? client
        : throw new StoreUnavailableException(retry.Trouble is { } trouble ? $"no silo is reached yet: {trouble}" : "no silo is reached yet");

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_connected)
        {
            await ((IHostedService)client).StopAsync(cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // It asks the store for silos and connects to one; until then it comes back to the retry filter.
        await Task.Yield();
        await ((IHostedService)client).StartAsync(stoppingToken);
        _connected = true;
        LogConnected(logger);
    }

    [LoggerMessage(1501, LogLevel.Information, "connected to the silos")]
    private static partial void LogConnected(ILogger logger);
}

/// <summary>Whether to go on trying: always.</summary>
internal sealed partial class ConnectionRetry(TimeProvider time, ILogger<ConnectionRetry> logger) : IClientConnectionRetryFilter
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>Why it could not last time.</summary>
    public string? Trouble { get; private set; }

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        string reason = SiloFaults.Words(exception);
        if (Trouble != reason)
        {
            LogWaiting(logger, reason);
            Trouble = reason;
        }

        await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !cancellationToken.IsCancellationRequested;
    }

    [LoggerMessage(1502, LogLevel.Warning, "no silo is reached, it is tried again; queries are answered 503 meanwhile: {Reason}")]
    private static partial void LogWaiting(ILogger logger, string reason);
}
