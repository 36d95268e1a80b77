using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClickAggregator.Silo.Running;

/// <summary>Starts a program that may be asked to stop before it has started.</summary>
public static class StoppableStart
{
    /// <summary>Starts it; where that fails, it is stopped.</summary>
    /// <returns>Whether it runs: it does not where it was asked to stop meanwhile, which is no fault.</returns>
    public static async Task<bool> StartAsync(IHost app)
    {
        ArgumentNullException.ThrowIfNull(app);
        CancellationToken stopping = app.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            await app.StartAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // What the start was broken off by is whatever service was at it just then.
            await StopAsync(app).ConfigureAwait(false);
            return false;
        }
        catch
        {
            // The silo starts before the web server listens. Left running, it would ask a container that is gone and bury
            // in its own complaints why there was no start; what its stopping says is not the reason either.
            await StopAsync(app).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task StopAsync(IHost app) => await app.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
