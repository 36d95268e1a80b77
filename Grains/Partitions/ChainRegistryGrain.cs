using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What <see cref="ChainRegistryGrain"/> keeps.</summary>
public sealed class ChainRegistry
{
    public List<RegisteredChain> Chains { get; set; } = [];

    /// <summary>How targets were spread over chains, from when on; the latest last.</summary>
    public List<ChainLayout> Layouts { get; set; } = [];
}

/// <summary>A log with so many partitions, seen first at a time (milliseconds since the epoch).</summary>
public sealed record ChainLayout(string Log, int Partitions, long At);

internal sealed class ChainRegistryGrain(
    [PersistentState("chains", StorageNames.State)] IPersistentState<ChainRegistry> state, TimeProvider time) : Grain, IChainRegistryGrain
{
    private const long HourMilliseconds = 3_600_000;

    // The layout may have changed while nobody looked, and producers learn of it later than silos do, so some of them go on as before.
    private const int MixedBefore = 48;
    private const int MixedAfter = 1;

    // A click's time may be so far ahead of the moment at which it is taken.
    private static readonly TimeSpan s_ahead = TimeSpan.FromMinutes(5);

    public async Task<int> GetNumberAsync(string log, int partition, int partitions)
    {
        RegisteredChain? known = state.State.Chains.Find(chain => chain.Log == log && chain.Partition == partition);
        if (known is not null)
        {
            return known.Number;
        }

        int number = state.State.Chains.Count;
        state.State.Chains.Add(new RegisteredChain(log, partition, number));
        if (state.State.Layouts is not [.., { } latest] || latest.Log != log || latest.Partitions < partitions)
        {
            state.State.Layouts.Add(new ChainLayout(log, partitions, time.GetUtcNow().ToUnixTimeMilliseconds()));
        }

        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            // The memory may differ from the store now, in either direction: the next call reads again.
            DeactivateOnIdle();
            throw;
        }

        return number;
    }

    public Task<long?> GetMixedUntilAsync() => Task.FromResult<long?>(
        state.State.Layouts.Count > 1 ? state.State.Layouts[^1].At + (long)s_ahead.TotalMilliseconds : null);

    public Task<bool> IsMixedAsync(int hour) => Task.FromResult(state.State.Layouts.Skip(1).Any(layout =>
        hour >= (layout.At / HourMilliseconds) - MixedBefore && hour <= (layout.At / HourMilliseconds) + MixedAfter));

    public Task<IReadOnlyList<RegisteredChain>> GetChainsAsync() =>
        Task.FromResult<IReadOnlyList<RegisteredChain>>([.. state.State.Chains]);
}
