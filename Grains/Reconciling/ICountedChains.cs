namespace ClickAggregator.Grains.Reconciling;

/// <summary>The chains as they are counted: the partition grains, for a recount.</summary>
public interface ICountedChains
{
    /// <summary>How far a chain is counted.</summary>
    Task<CountedChain> GetAsync(int chain, CancellationToken cancellationToken);

    /// <summary>The chains that may hold repeats of the chain's clicks of an hour: see <see cref="IChainRegistryGrain.IsMixedAsync"/>.</summary>
    Task<IReadOnlyList<int>> MixedWithAsync(int chain, int hour);

    /// <summary>See <see cref="IPartitionGrain.CountedToAsync"/>.</summary>
    Task<long?> CountedToAsync(int chain, CancellationToken cancellationToken);

    /// <summary>See <see cref="IPartitionGrain.CorrectAsync"/>.</summary>
    Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections, CancellationToken cancellationToken);

    /// <summary>See <see cref="IPartitionGrain.FenceAsync"/>.</summary>
    Task<bool> FenceAsync(int chain, long order, CancellationToken cancellationToken);
}

/// <summary>How far a chain is counted.</summary>
/// <param name="State">Whether it is counted now.</param>
/// <param name="Next">Every click below this offset is counted.</param>
/// <param name="CountedUntil">Log time until which all is counted, milliseconds since the epoch.</param>
/// <param name="Detail">Why it is not counted now; null where it is.</param>
/// <param name="IsClosed">
/// It is over, and never goes on: its log was closed at <paramref name="Next"/> for another. Its windows can be corrected.
/// </param>
public readonly record struct CountedChain(CountedChainState State, long Next, long CountedUntil, string? Detail = null, bool IsClosed = false)
{
    /// <summary>Whether its windows can be corrected.</summary>
    public bool IsCorrected => State != CountedChainState.Over || IsClosed;
}

/// <summary>Whether a chain is counted.</summary>
public enum CountedChainState
{
    /// <summary>It is.</summary>
    Counted,

    /// <summary>Its log was left or closed: nothing comes to it any more, and where it was not closed nothing of it can be corrected.</summary>
    Over,

    /// <summary>It stands still, or starts: ask again.</summary>
    Standing,
}
