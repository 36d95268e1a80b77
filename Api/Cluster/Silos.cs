using ClickAggregator.Grains;

namespace ClickAggregator.Api.Cluster;

/// <summary>
/// Asks the silos, the one in this process or those of a cluster. A question that only reads is put again when its answer did
/// not come: another silo answers it while one stops or has died.
/// </summary>
/// <param name="grains">Where the silos are.</param>
/// <param name="time">The clock for pauses.</param>
internal sealed class Silos(Func<IGrainFactory> grains, TimeProvider time)
{
    private const int Attempts = 3;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>The grains, for what may be asked once only.</summary>
    /// <exception cref="StoreUnavailableException">No silo was reached yet.</exception>
    public IGrainFactory Grains => grains();

    /// <summary>Asks what only reads.</summary>
    public async Task<T> AskAsync<T>(Func<IGrainFactory, Task<T>> question, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await question(grains());
            }
            catch (Exception fault) when (attempt < Attempts && fault is TimeoutException or Orleans.Runtime.OrleansException)
            {
                await Task.Delay(s_pause * attempt, time, cancellationToken);
            }
        }
    }
}
