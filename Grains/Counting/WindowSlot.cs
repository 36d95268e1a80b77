using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// A window as its chain sees it, kept from batch to batch while it is busy. A slot that was dropped and made anew
/// has no <see cref="LastStamp"/>, which makes the window check its row: slower, never wrong.
/// </summary>
public sealed class WindowSlot
{
    internal readonly MinuteTally Tally = new();

    /// <summary>Makes a slot for a window.</summary>
    public WindowSlot(WindowKey key) => Key = key;

    internal WindowSlot(WindowKey key, in SeriesKey series)
        : this(key)
    {
        Hash = series.Hash;
        Rollup = series.Rollup;
        Kind = series.Kind;
        Country = series.Country;
        Id = series.Id.ToArray();
        Device = series.Device.ToArray();
    }

    public WindowKey Key { get; }

    /// <summary>The kind, where the series is a plain target's, whose windows the top lists are made of; else None.</summary>
    public TargetKind TopKind { get; internal init; }

    /// <summary>The stamp of this chain's last write to the window, as acknowledged; null = unknown. Set by the chain.</summary>
    public long? LastStamp { get; set; }

    /// <summary>The window's clicks, as acknowledged last. Set by the chain.</summary>
    public long HourClicks { get; set; }

    /// <summary>What the chain sends deltas to, kept so that it need not be looked up for each batch.</summary>
    public object? Sink { get; set; }

    // What the folder finds the slot by; see SlotTable.
    internal ulong Hash { get; }
    internal byte Rollup { get; }
    internal byte Kind { get; }
    internal ushort Country { get; }
    internal byte[] Id { get; } = [];
    internal byte[] Device { get; } = [];
    internal long TouchedIn { get; set; }
}
