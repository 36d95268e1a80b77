using System.Runtime.InteropServices;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>Who may be among the most clicked, by top lists or by their heads, and how many clicks anybody can have at most.</summary>
/// <remarks>
/// A list that is read to some depth is a list with a higher floor: no target that is not among those read has more clicks than the
/// first one that was left out. A target that is listed has its own clicks where it is, and the floor where it is not; so at
/// most the bound, and for each list that has it what it has above that list's floor. A count below the floor says no
/// more than the floor.
/// </remarks>
internal sealed class TopCandidates
{
    private readonly List<(string Id, long Above, long Listed)> _ordered;

    private TopCandidates(List<(string Id, long Above, long Listed)> ordered, long bound, bool whole)
    {
        _ordered = ordered;
        Bound = bound;
        IsWhole = whole;
    }

    /// <summary>No target that is no candidate has more clicks than this.</summary>
    public long Bound { get; }

    /// <summary>Whether no list was cut.</summary>
    public bool IsWhole { get; }

    public int Count => _ordered.Count;

    /// <param name="lists">All lists of a kind that cover the range: they may reach beyond it.</param>
    /// <param name="depth">How many entries of each are looked at.</param>
    /// <param name="mayLiveInSeveralChains">As for <see cref="TopMerge.Bound"/>.</param>
    public static TopCandidates Of(IReadOnlyList<TopList> lists, int depth, Func<TopSlice, int, bool> mayLiveInSeveralChains)
    {
        var above = new Dictionary<string, (long Above, long Listed)>(Math.Min(depth, 1000) * 8, StringComparer.Ordinal);
        var floors = new Dictionary<(TopSlice Slice, int Start), (long Sum, long Most)>();
        bool whole = true;
        foreach (TopList list in lists)
        {
            TopEntry[] entries = list.Entries as TopEntry[] ?? [.. list.Entries];
            int read = Math.Min(depth, entries.Length);
            whole &= read == entries.Length;
            long floor = read == entries.Length ? list.Floor : Math.Max(list.Floor, entries[read].Clicks);
            foreach (ref readonly TopEntry entry in entries.AsSpan(0, read))
            {
                ref (long Above, long Listed) of = ref CollectionsMarshal.GetValueRefOrAddDefault(above, entry.Id, out _);
                of = (of.Above + Math.Max(0, entry.Clicks - floor), of.Listed + entry.Clicks);
            }

            (TopSlice Slice, int Start) slice = (list.Key.Slice, list.Key.Start);
            (long sum, long most) = floors.GetValueOrDefault(slice);
            floors[slice] = (sum + floor, Math.Max(most, floor));
        }

        var ordered = new List<(string Id, long Above, long Listed)>(above.Count);
        foreach ((string id, (long Above, long Listed) of) in above)
        {
            ordered.Add((id, of.Above, of.Listed));
        }

        ordered.Sort(static (a, b) => b.Above.CompareTo(a.Above));
        return new TopCandidates(
            ordered, floors.Sum(slice => mayLiveInSeveralChains(slice.Key.Slice, slice.Key.Start) ? slice.Value.Sum : slice.Value.Most), whole);
    }

    /// <summary>The n-th candidate, by what it can have at most.</summary>
    public string this[int n] => _ordered[n].Id;

    /// <summary>The most clicks that the n-th candidate, and everyone behind it, can have.</summary>
    public long AtMost(int n) => _ordered[n].Above + Bound;

    /// <summary>About how many clicks the n-th has, where nothing depends on it.</summary>
    public long About(int n) => _ordered[n].Listed;
}
