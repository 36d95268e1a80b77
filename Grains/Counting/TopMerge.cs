using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// The most clicked targets over several hours or days and all chains, with a proof of exactness or the size of the doubt.
/// </summary>
/// <remarks>
/// Proof. A target that is in none of the lists has, in each chain and slice, at most the list's floor (see
/// <see cref="TopBoard"/>). Where a target lives in one chain, it has at most the greatest floor of the slice's lists;
/// where it may live in several (partitions were added, the log was replaced), at most their sum. Over several slices
/// it has at most the sum of these bounds. The candidates' counts are exact, so a ranking whose last place has more
/// than that bound leaves nobody out.
/// </remarks>
public static class TopMerge
{
    /// <summary>All targets that may be among the most clicked: whose exact counts have to be looked up.</summary>
    public static IReadOnlySet<string> Candidates(IEnumerable<TopList> lists)
    {
        ArgumentNullException.ThrowIfNull(lists);
        return lists.SelectMany(l => l.Entries).Select(e => e.Id).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>No target outside the lists has more clicks than this.</summary>
    /// <param name="lists">All lists of one kind and granularity in the range: of every slice, and every chain.</param>
    /// <param name="mayLiveInSeveralChains">For a slice and its start: whether a target's clicks may be spread over chains.</param>
    public static long Bound(IEnumerable<TopList> lists, Func<TopSlice, int, bool>? mayLiveInSeveralChains = null)
    {
        ArgumentNullException.ThrowIfNull(lists);
        return lists.GroupBy(l => (l.Key.Slice, l.Key.Start)).Sum(slice =>
            mayLiveInSeveralChains?.Invoke(slice.Key.Slice, slice.Key.Start) == true ? slice.Sum(l => l.Floor) : slice.Max(l => l.Floor));
    }

    /// <summary>Ranks the candidates: most clicks first, then id (ordinal).</summary>
    /// <param name="counts">The exact clicks, in the whole range, of every candidate.</param>
    /// <param name="bound">From <see cref="Bound"/>.</param>
    /// <param name="places">How many to give at most; at least 1.</param>
    public static TopRanking Rank(IEnumerable<TopEntry> counts, long bound, int places)
    {
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentOutOfRangeException.ThrowIfLessThan(places, 1);
        TopEntry[] ranked = [.. counts.Where(c => c.Clicks > 0)
            .OrderByDescending(c => c.Clicks).ThenBy(c => c.Id, StringComparer.Ordinal).Take(places)];

        // With bound 0 nobody is outside. Else the last place has to be above it: on a tie the one left out might
        // come first by its id.
        bool exact = bound == 0 || (ranked.Length == places && ranked[^1].Clicks > bound);
        return new TopRanking(ranked, exact, exact ? 0 : bound);
    }
}

/// <summary>A ranking.</summary>
/// <param name="Entries">The targets with their exact counts.</param>
/// <param name="Exact">Whether it is certain that no other target belongs among them.</param>
/// <param name="ErrorBound">The most clicks that a target left out may have; 0 where exact.</param>
public sealed record TopRanking(IReadOnlyList<TopEntry> Entries, bool Exact, long ErrorBound);
