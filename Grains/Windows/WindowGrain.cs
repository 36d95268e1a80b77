using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using Orleans.Placement;

namespace ClickAggregator.Grains.Windows;

/// <summary>
/// A window: the thin shell around <see cref="WindowLedger"/>. It lives on the silo of its partition, which alone
/// calls it.
/// </summary>
[PreferLocalPlacement]
internal sealed class WindowGrain(
    [PersistentState("window", StorageNames.Windows)] IPersistentState<WindowRow> state) : Grain, IWindowGrain, IWindowStore
{
    private WindowLedger _ledger = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _ledger = new WindowLedger(this, state.State);
        return Task.CompletedTask;
    }

    public Task<WindowAck> ApplyAsync(WindowDelta delta) => _ledger.ApplyAsync(delta);

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
