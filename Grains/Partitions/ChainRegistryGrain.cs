using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What <see cref="ChainRegistryGrain"/> keeps.</summary>
public sealed class ChainRegistry
{
    public List<RegisteredChain> Chains { get; set; } = [];
}

internal sealed class ChainRegistryGrain(
    [PersistentState("chains", StorageNames.State)] IPersistentState<ChainRegistry> state) : Grain, IChainRegistryGrain
{
    public async Task<int> GetNumberAsync(string log, int partition)
    {
        RegisteredChain? known = state.State.Chains.Find(chain => chain.Log == log && chain.Partition == partition);
        if (known is not null)
        {
            return known.Number;
        }

        int number = state.State.Chains.Count;
        state.State.Chains.Add(new RegisteredChain(log, partition, number));
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

    public Task<IReadOnlyList<RegisteredChain>> GetChainsAsync() =>
        Task.FromResult<IReadOnlyList<RegisteredChain>>([.. state.State.Chains]);
}
