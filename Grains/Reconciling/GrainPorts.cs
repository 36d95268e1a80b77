using System.Collections.Concurrent;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>The chains, as their partition grains count them.</summary>
internal sealed class GrainChains(IGrainFactory grains, IPartitionLog log) : ICountedChains
{
    private readonly ConcurrentDictionary<int, RegisteredChain> _known = new();

    public async Task<CountedChain> GetAsync(int chain, CancellationToken cancellationToken)
    {
        RegisteredChain of = await OfAsync(chain);
        IPartitionGrain partition = grains.GetGrain<IPartitionGrain>(of.Partition);
        if ((await log.GetLogIdAsync(cancellationToken)).Value != of.Log)
        {
            // Nothing comes to it any more. Where it was closed its clicks count up to there.
            LogClosing closing = await partition.GetClosingAsync(of.Log);
            return new CountedChain(CountedChainState.Over, closing.At ?? long.MaxValue, long.MaxValue / 4, $"its log {of.Log} was left for another", closing.At is not null);
        }

        PartitionProgress progress = await partition.GetProgressAsync();
        return progress.State == PartitionState.Counting
            ? new CountedChain(CountedChainState.Counted, progress.Next, progress.CountedUntil)
            : new CountedChain(CountedChainState.Standing, 0, 0, progress.Detail ?? progress.State.ToString());
    }

    public async Task<IReadOnlyList<int>> MixedWithAsync(int chain, int hour) =>
        await grains.GetGrain<IChainRegistryGrain>(0).IsMixedAsync(hour) ? [.. (await AllAsync()).Where(other => other != chain)] : [];

    public async Task<long?> CountedToAsync(int chain, CancellationToken cancellationToken) =>
        await grains.GetGrain<IPartitionGrain>((await OfAsync(chain)).Partition).CountedToAsync(chain);

    public async Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections, CancellationToken cancellationToken) =>
        await grains.GetGrain<IPartitionGrain>((await OfAsync(chain)).Partition).CorrectAsync(chain, corrections);

    public async Task<bool> FenceAsync(int chain, long order, CancellationToken cancellationToken) =>
        await grains.GetGrain<IPartitionGrain>((await OfAsync(chain)).Partition).FenceAsync(chain, order);

    /// <summary>Every chain of the log that is counted now.</summary>
    public async Task<IReadOnlyList<int>> CurrentAsync(CancellationToken cancellationToken)
    {
        string id = (await log.GetLogIdAsync(cancellationToken)).Value;
        return [.. (await grains.GetGrain<IChainRegistryGrain>(0).GetChainsAsync()).Where(chain => chain.Log == id).Select(chain => chain.Number).Order()];
    }

    /// <summary>Every chain there is.</summary>
    public async Task<IReadOnlyList<int>> AllAsync() =>
        [.. (await grains.GetGrain<IChainRegistryGrain>(0).GetChainsAsync()).Select(chain => chain.Number).Order()];

    private async Task<RegisteredChain> OfAsync(int chain)
    {
        if (!_known.TryGetValue(chain, out RegisteredChain? of))
        {
            foreach (RegisteredChain one in await grains.GetGrain<IChainRegistryGrain>(0).GetChainsAsync())
            {
                _known[one.Number] = one;
            }

            of = _known.GetValueOrDefault(chain) ?? throw new InvalidOperationException($"there is no chain {chain}");
        }

        return of;
    }
}

/// <summary>The archive, as its grains keep it.</summary>
internal sealed class GrainArchive(IGrainFactory grains) : IHourArchive
{
    public Task<ArchiveProgress> GetProgressAsync(int chain) => grains.GetGrain<IArchiveGrain>(chain).GetProgressAsync();

    public Task<long?> GetLogEndAsync(int chain) => grains.GetGrain<IArchiveGrain>(chain).GetLogEndAsync();

    public Task<ArchivedHour> GetHourAsync(int chain, int hour) => grains.GetGrain<IArchiveGrain>(chain).GetHourAsync(hour);
}
