using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Ranks targets over any range: candidates from the stored top lists of its days and hours, counted exactly from the
/// slices. What the lists leave out is bounded by their floors, so the answer can say whether it is exact.
/// </summary>
internal sealed class TopTargetsQuery(ICountReader reader, SliceSums sums, Func<Task<long?>> mixedUntil)
{
    private const int ChunkSize = 1000;
    private const long HourMilliseconds = 3_600_000;

    public async Task<TopTargets> RankAsync(TopQuestion question, CancellationToken cancellationToken)
    {
        long countedUntil = sums.CountedUntil();
        LedgerPosition? before = sums.Position;
        List<TopList> lists = await ListsAsync(question, cancellationToken);

        // While targets moved between chains, a target's clicks may lie in two of them.
        long mixed = lists.Count == 0 ? long.MinValue : await mixedUntil() ?? long.MinValue;
        long bound = TopMerge.Bound(lists, (slice, start) => start * (slice == TopSlice.Hour ? HourMilliseconds : 24 * HourMilliseconds) <= mixed);

        // What a candidate can have at most: what is listed, and the floor where it is not. Most drop out by that.
        var atMost = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (TopList list in lists)
        {
            foreach (TopEntry entry in list.Entries)
            {
                atMost[entry.Id] = atMost.GetValueOrDefault(entry.Id) + entry.Clicks;
            }
        }

        string[] candidates = [.. atMost.OrderByDescending(pair => pair.Value).Select(pair => pair.Key)];
        var counted = new List<TopEntry>();
        SeriesSums? used = null;
        for (int first = 0; first < candidates.Length; first += ChunkSize)
        {
            if (counted.Count >= question.Limit)
            {
                long last = counted.Select(entry => entry.Clicks).OrderDescending().ElementAt(question.Limit - 1);
                if (last > atMost[candidates[first]] + bound)
                {
                    break; // nobody behind can get among them
                }
            }

            string[] some = candidates[first..Math.Min(candidates.Length, first + ChunkSize)];
            string prefix = TargetKinds.Name(question.Kind) + ":";
            used = await sums.SumAsync(
                new SeriesRange([.. some.Select(id => prefix + id + question.Suffix)], question.From, question.To), cancellationToken);
            counted.AddRange(used.Counts.Select((count, n) => new TopEntry(some[n], count.Clicks)));
        }

        used ??= await sums.SumAsync(new SeriesRange([], question.From, question.To), cancellationToken);
        TopRanking ranking = TopMerge.Rank(counted, bound, question.Limit);
        return new TopTargets(
            [.. ranking.Entries.Select(entry => new RankedTarget(entry.Id, entry.Clicks))],
            ranking.Exact,
            ranking.ErrorBound,
            used with { Counts = [], CountedUntil = countedUntil, Finality = await sums.FinalityAsync(before, used.From, used.To, cancellationToken) });
    }

    private async Task<List<TopList>> ListsAsync(TopQuestion question, CancellationToken cancellationToken)
    {
        int fromHour = (int)SliceSums.FloorDiv(question.From, 60);
        int toHour = (int)SliceSums.FloorDiv(question.To + 59, 60);
        int firstDay = (int)SliceSums.FloorDiv(fromHour + 23, 24);
        int lastDay = (int)SliceSums.FloorDiv(toHour, 24);
        var lists = new List<TopList>();
        if (firstDay >= lastDay)
        {
            lists.AddRange(await reader.ReadTopsAsync(question.Kind, TopSlice.Hour, fromHour, toHour, cancellationToken));
        }
        else
        {
            lists.AddRange(await reader.ReadTopsAsync(question.Kind, TopSlice.Hour, fromHour, firstDay * 24, cancellationToken));
            lists.AddRange(await reader.ReadTopsAsync(question.Kind, TopSlice.Day, firstDay, lastDay, cancellationToken));
            lists.AddRange(await reader.ReadTopsAsync(question.Kind, TopSlice.Hour, lastDay * 24, toHour, cancellationToken));
        }

        return lists;
    }
}
