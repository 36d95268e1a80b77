using ClickAggregator.Api.Cluster;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>How far archive and reconciliation are; null in each part where the silos did not say.</summary>
/// <param name="Archive">Each chain, in order.</param>
/// <param name="Reconciliation">How far the numbers are recounted.</param>
internal sealed record ProofState(IReadOnlyList<ArchiveProgress>? Archive, ReconciliationState? Reconciliation);

/// <summary>How far the numbers are recounted.</summary>
/// <param name="Position">How far hours are planned, and the version.</param>
/// <param name="OpenHours">Hours of chains, of those that are planned, that no run has covered; at most <see cref="ReconciliationView.MaxOpenHours"/>.</param>
/// <param name="LastRun">The latest run; null before the first.</param>
internal sealed record ReconciliationState(LedgerPosition Position, int OpenHours, ReconciliationRun? LastRun);

/// <summary>
/// What the status says of archive and reconciliation. It is asked for every second by every page that is open, so it is read
/// from the silos at most every two seconds, and an answer never waits long for them.
/// </summary>
internal sealed partial class ReconciliationView(Silos silos, TimeProvider time, ILogger<ReconciliationView> logger)
{
    public const int MaxOpenHours = 1000;

    // Hours that have waited for longer than this are no news.
    private const int LookBackHours = 40 * 24;
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<ProofState>? _reading;
    private ProofState _known = new(null, null);
    private long _readAt;

    /// <summary>What is known, at most some seconds old.</summary>
    public async Task<ProofState> GetAsync(CancellationToken cancellationToken)
    {
        Task<ProofState> reading;
        lock (_lock)
        {
            if (_reading is null || (_reading.IsCompleted && time.GetElapsedTime(_readAt) >= s_fresh))
            {
                _readAt = time.GetTimestamp();
                _reading = ReadAsync();
            }

            reading = _reading;
        }

        await ((Task)reading).WaitAsync(s_wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return reading.IsCompleted ? await reading : _known;
    }

    private async Task<ProofState> ReadAsync()
    {
        Task<IReadOnlyList<ArchiveProgress>?> archive = TryAsync(ReadArchiveAsync);
        Task<ReconciliationState?> reconciliation = TryAsync(ReadReconciliationAsync);
        return _known = new ProofState(await archive, await reconciliation);
    }

    private async Task<T?> TryAsync<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await Task.Run(read).WaitAsync(s_patience, time);
        }
#pragma warning disable CA1031 // no silo is there, or its store is away: the status says that it is not known
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogUnknown(logger, fault);
            return null;
        }
    }

    private async Task<IReadOnlyList<ArchiveProgress>> ReadArchiveAsync()
    {
        IGrainFactory grains = silos.Grains;
        IReadOnlyList<RegisteredChain> chains = await grains.GetGrain<IChainRegistryGrain>(0).GetChainsAsync();
        return await Task.WhenAll(chains.OrderBy(chain => chain.Number)
            .Select(chain => grains.GetGrain<IArchiveGrain>(chain.Number).GetProgressAsync()));
    }

    private async Task<ReconciliationState> ReadReconciliationAsync()
    {
        IGrainFactory grains = silos.Grains;
        IReconciliationGrain reconciliation = grains.GetGrain<IReconciliationGrain>(0);
        LedgerPosition position = await reconciliation.GetPositionAsync();
        IReadOnlyList<ReconciliationRun> runs = await reconciliation.GetRunsAsync(null, 1);
        int open = await grains.GetGrain<ILedgerGrain>(0).CountOpenHoursAsync(position.Through - LookBackHours, position.Through, MaxOpenHours);
        return new ReconciliationState(position, open, runs.Count == 0 ? null : runs[0]);
    }

    [LoggerMessage(1302, LogLevel.Debug, "How far archive or reconciliation is is not known")]
    private static partial void LogUnknown(ILogger logger, Exception reason);
}
