using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using Orleans.GrainDirectory;
using Orleans.Placement;

namespace ClickAggregator.Grains.Windows;

/// <summary>
/// A window: the thin shell around <see cref="WindowLedger"/>. It lives on the silo of its partition, which alone
/// calls it. The window of an hour long over leaves the memory after each call: a backfill of months passes through
/// each window once or twice, and would else hold a million of them at a time.
/// </summary>
[PreferLocalPlacement]
[GrainDirectory(GrainDirectoryName = WindowDirectory.Name)]
internal sealed class WindowGrain(
    [PersistentState("window", StorageNames.Windows)] IPersistentState<WindowRow> state,
    TimeProvider time) : Grain, IWindowGrain, IWindowStore
{
    /// <summary>How long after its hour a window is still called often, in seconds: by clicks that arrive a little late.</summary>
    private const int KeptAfterHour = 15 * 60;

    private WindowLedger _ledger = null!;
    private long _leavesAt;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _ledger = new WindowLedger(this, state.State);
        _leavesAt = ((WindowKey.Parse(this.GetPrimaryKeyString()).Hour + 1L) * 3600) + KeptAfterHour;
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
        await state.ReadStateAsync();
        return state.State;
    }

    Task IWindowStore.WriteAsync(WindowRow row)
    {
        state.State = row;
        return state.WriteStateAsync();
    }
}
