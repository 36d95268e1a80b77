using Orleans.GrainDirectory;

namespace ClickAggregator.Grains.Windows;

/// <summary>
/// The directory of the windows: it knows none. A window is only called from the silo of its partition and lives there
/// (<see cref="WindowGrain"/>), and the silo itself knows who is awake on it; so entries that the cluster agrees on, which
/// cost more than the counting of a window that is clicked once, would say nothing. When a partition moves, its windows may
/// be awake on both silos for a while: a <see cref="Chain.WindowLedger"/> believes its memory only where the chain's last stamp
/// agrees with it.
/// </summary>
internal sealed class WindowDirectory : IGrainDirectory
{
    public const string Name = "windows";

    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(address);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Task.FromResult<GrainAddress?>(address);

    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult<GrainAddress?>(null);

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;
}
