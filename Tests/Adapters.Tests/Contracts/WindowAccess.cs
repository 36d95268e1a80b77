using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace ClickAggregator.Adapters.Tests.Contracts;

/// <summary>Window rows through the storage provider, as the window's grain reads and writes them.</summary>
internal static class WindowAccess
{
    public static async Task<WindowRow> ReadAsync(this IGrainStorage windows, WindowKey key)
    {
        var state = new GrainState<WindowRow>();
        await windows.ReadStateAsync("window", IdOf(key), state);
        Assert.Equal(state.State!.Stamp != 0, state.RecordExists);
        return state.State!;
    }

    public static async Task WriteAsync(this IGrainStorage windows, WindowKey key, WindowRow row)
    {
        var state = new GrainState<WindowRow> { State = row };
        await windows.WriteStateAsync("window", IdOf(key), state);
        Assert.True(state.RecordExists);
    }

    /// <summary>A row with its clicks in one minute.</summary>
    public static WindowRow Row(long stamp, int minute, long clicks, long upto = 1)
    {
        var row = new WindowRow { Stamp = stamp, Upto = upto };
        row.Minutes![minute] = clicks;
        row.Quarters[minute / 15] = clicks;
        return row;
    }

    /// <summary>A batch's clicks in one minute, at its first try.</summary>
    public static WindowDelta Delta(long end, long stamp, long? previous, byte minute, int clicks) =>
        new(end, stamp, 0, previous, new[] { new MinuteCount(minute, clicks) });

    public static GrainId IdOf(WindowKey key) => GrainId.Create("window", key.ToString());
}

/// <summary>The row of one window, kept as its grain keeps it.</summary>
internal sealed class KeptWindow(IGrainStorage windows, WindowKey key) : IWindowStore
{
    public int Writes { get; private set; }

    public Task<WindowRow> ReadAsync() => windows.ReadAsync(key);

    public async Task WriteAsync(WindowRow row)
    {
        Writes++;
        await windows.WriteAsync(key, row);
    }
}
