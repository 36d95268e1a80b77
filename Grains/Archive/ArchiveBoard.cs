using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace ClickAggregator.Grains.Archive;

/// <summary>How far the archives of this silo are, for metrics and for the retention of the log.</summary>
public sealed class ArchiveBoard
{
    private readonly ConcurrentDictionary<int, ArchiveLag> _chains = new();
    private readonly ConcurrentDictionary<int, int> _damaged = new();
    private volatile IReadOnlyList<ArchiveChain>? _known;

    /// <summary>Notes which chains there are at all.</summary>
    public void Know(IReadOnlyList<ArchiveChain> chains) => _known = chains;

    /// <summary>Posts; the latest post of a chain stands.</summary>
    public void Post(ArchiveLag lag) => _chains[lag.Chain.Number] = lag;

    /// <summary>Notes how many entries of a chain's manifest are gone or altered.</summary>
    public void PostDamage(int chain, int entries) => _damaged[chain] = entries;

    /// <summary>Forgets a chain that another silo has now.</summary>
    public void Leave(int chain)
    {
        _chains.TryRemove(chain, out _);
        _damaged.TryRemove(chain, out _);
    }

    /// <summary>
    /// The first offset of a log's partition that the archive needs: to archive it, or to read ids back. 0 until that is known;
    /// <see cref="long.MaxValue"/> where the log is archived to where it was closed.
    /// </summary>
    /// <param name="log">The log.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="unknown">What is said where there is no such chain.</param>
    public long Needed(string log, int partition, long unknown)
    {
        if (_known is not { } known)
        {
            return 0;
        }

        ArchiveChain? chain = known.FirstOrDefault(one => one.Log == log && one.Partition == partition);
        return chain is null ? unknown : _chains.TryGetValue(chain.Number, out ArchiveLag? lag) ? lag.Needed : 0;
    }

    internal IEnumerable<Measurement<long>> Damaged() => _damaged.Select(one => new Measurement<long>(one.Value, new KeyValuePair<string, object?>("chain", one.Key)));

    internal IEnumerable<Measurement<T>> Lags<T>(Func<ArchiveLag, T> of)
        where T : struct => _chains.Values.Where(one => one.IsCurrent).Select(one => new Measurement<T>(of(one), new KeyValuePair<string, object?>("partition", one.Chain.Partition)));
}

/// <summary>How far one chain's archive trails its log.</summary>
/// <param name="Chain">The chain.</param>
/// <param name="IsCurrent">Whether its log is the one that is counted now.</param>
/// <param name="Records">Records that are not archived yet.</param>
/// <param name="Seconds">The age of the first of them.</param>
/// <param name="Needed">The first offset that is still needed of the log.</param>
/// <param name="Detail">What holds it up, or is wrong with its manifest; null for nothing.</param>
public sealed record ArchiveLag(ArchiveChain Chain, bool IsCurrent, long Records, double Seconds, long Needed, string? Detail);
