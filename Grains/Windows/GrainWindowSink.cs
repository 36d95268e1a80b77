using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Windows;

/// <summary>Reaches windows as grains; a slot keeps its grain's reference.</summary>
internal sealed class GrainWindowSink(IGrainFactory grains) : IWindowSink
{
    public Task<WindowAck> ApplyAsync(WindowSlot slot, WindowDelta delta) =>
        ((IWindowGrain)(slot.Sink ??= grains.GetGrain<IWindowGrain>(slot.Key.ToString()))).ApplyAsync(delta);

    public Task<WindowAck> CorrectAsync(WindowKey key, WindowCorrection correction) =>
        grains.GetGrain<IWindowGrain>(key.ToString()).CorrectAsync(correction);
}
