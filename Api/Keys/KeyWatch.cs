namespace ClickAggregator.Api.Keys;

/// <summary>Looks for changed keys, again and again.</summary>
internal sealed class KeyWatch(KeyRing ring, IKeyStore store, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(store.LookEvery, time);
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
