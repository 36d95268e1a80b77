using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.GrainDirectory;
using Orleans.Placement;
using Orleans.Storage;

namespace ClickAggregator.Grains.Windows;

/// <summary>
/// A window: the thin shell around <see cref="WindowLedger"/>. It lives on the silo of its partition, which alone
/// calls it. The window of an hour long over leaves the memory after each call: a backfill of months passes through
/// each window once or twice, and would else hold a million of them at a time.
/// </summary>
/// <remarks>
/// It calls its storage provider itself: a persistent state of Orleans would wait twice more for each write, in the call
/// that is made more often than any other.
/// </remarks>
[PreferLocalPlacement]
[GrainDirectory(GrainDirectoryName = WindowDirectory.Name)]
internal sealed class WindowGrain(
    [FromKeyedServices(StorageNames.Windows)] IGrainStorage storage,
    TimeProvider time) : Grain, IWindowGrain, IWindowStore
{
    /// <summary>How long after its hour a window is still called often, in seconds: by clicks that arrive a little late.</summary>
    private const int KeptAfterHour = 15 * 60;

    private const string StateName = "window";

    private readonly GrainState<WindowRow> _state = new();
    private WindowLedger _ledger = null!;
    private long _leavesAt;

    // Nothing is read here but with the first call: an activation that fails is an error of Orleans' own, with a stack in the log, and
    // where the store is away that would be one for each of thousands of windows.
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _leavesAt = ((WindowKey.Parse(this.GetPrimaryKeyString()).Hour + 1L) * 3600) + KeptAfterHour;
        _ledger = new WindowLedger(this);
        return Task.CompletedTask;
    }

    public Task<WindowAck> ApplyAsync(WindowDelta delta)
    {
        if (time.GetUtcNow().ToUnixTimeSeconds() >= _leavesAt)
        {
            DeactivateOnIdle();
        }

        return _ledger.ApplyAsync(delta);
    }

    public Task<WindowAck> CorrectAsync(WindowCorrection correction) => _ledger.CorrectAsync(correction);

    async Task<WindowRow> IWindowStore.ReadAsync()
    {
        await storage.ReadStateAsync(StateName, this.GetGrainId(), _state);
        return _state.State!;
    }

    Task IWindowStore.WriteAsync(WindowRow row)
    {
        _state.State = row;
        return storage.WriteStateAsync(StateName, this.GetGrainId(), _state);
    }
}
