namespace ClickAggregator.Grains;

/// <summary>Gives each chain (one partition of one log) its small number; there is one, with key 0.</summary>
[Alias("ClickAggregator.IChainRegistryGrain")]
public interface IChainRegistryGrain : IGrainWithIntegerKey
{
    /// <summary>The number of a chain, assigned by compare-and-set when it is first asked for; never reused.</summary>
    /// <param name="log">The log's id.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="partitions">How many the log has now.</param>
    [Alias("GetNumber")]
    Task<int> GetNumberAsync(string log, int partition, int partitions);

    /// <summary>
    /// Until when (milliseconds since the epoch) a click's time may lie in two chains for one target: until partitions were
    /// last added, or the log was last replaced. Null where neither ever happened.
    /// </summary>
    [Alias("GetMixedUntil")]
    Task<long?> GetMixedUntilAsync();

    /// <summary>
    /// Whether a click of this hour (since the epoch) and a repeat of it may lie in two chains: partitions were added, or the log was
    /// replaced, at most two days after it, or in the hour before.
    /// </summary>
    [Alias("IsMixed")]
    Task<bool> IsMixedAsync(int hour);

    /// <summary>Every chain there is.</summary>
    [Alias("GetChains")]
    Task<IReadOnlyList<RegisteredChain>> GetChainsAsync();
}

/// <summary>A chain and its number.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RegisteredChain")]
public sealed record RegisteredChain([property: Id(0)] string Log, [property: Id(1)] int Partition, [property: Id(2)] int Number);
