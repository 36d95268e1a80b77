namespace ClickAggregator.Api.Keys;

/// <summary>
/// Looks for changed keys once a second. A file that is read costs microseconds, and is seen on every file system, which
/// notices of changes are not.
/// </summary>
internal sealed class KeyWatch(KeyRing ring, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await ring.RefreshAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The program is asked to stop.
        }
    }
}
