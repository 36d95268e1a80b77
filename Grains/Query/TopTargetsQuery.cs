using ClickAggregator.Clicks;
using ClickAggregator.Grains.Counting;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Ranks targets over any range: candidates from the stored top lists of its days and hours, counted exactly from the
/// slices. What the lists leave out is bounded by their floors, so the answer can say whether it is exact.
/// </summary>
/// <remarks>
/// Cheapest first: 1. the heads of the lists of all days that the range touches, also of those that it cuts: their counts
/// bound what is in the range; 2. these lists whole; 3. the lists of whole days and of the hours at its edges. Each next one is
/// taken only where the one before does not prove that nobody is left out, and counts nobody again.
/// </remarks>
internal sealed class TopTargetsQuery(ICountReader reader, SliceSums sums, Func<Task<long?>> mixedUntil)
{
    private const int ChunkSize = 1000;
    private const int DayHours = 24;
    private const int HourMinutes = 60;
    private const int DayMinutes = DayHours * HourMinutes;
    private const long HourMilliseconds = 3_600_000;

    /// <summary>With fewer whole days, those that are cut would make the bound too coarse.</summary>
    private const int FewDays = 3;

    public async Task<TopTargets> RankAsync(TopQuestion question, CancellationToken cancellationToken)
    {
        long countedUntil = sums.CountedUntil();
        LedgerPosition? before = sums.Position;
        long? mixed = null;
        // While the lists are read that they say nothing of; an hour more on each side, for the range is rounded to what is kept.
        Task<DayMarks?> marks = reader.ReadMarksAsync(
            (int)SliceSums.FloorDiv(question.From - HourMinutes, DayMinutes), (int)SliceSums.FloorDiv(question.To + HourMinutes, DayMinutes) + 1, cancellationToken);
        var counted = new Counted(sums, question, ReadsAsync(marks, reader.ReadMinutesFloorAsync(cancellationToken)));
        foreach (TopAttempt attempt in Attempts(question))
        {
            IReadOnlyList<TopList> lists = await ReadAsync(question.Kind, attempt, marks, cancellationToken);

            // While targets moved between chains, a target's clicks may lie in two of them.
            mixed ??= lists.Count == 0 ? long.MinValue : await mixedUntil() ?? long.MinValue;
            foreach (int depth in attempt.Depths)
            {
                var candidates = TopCandidates.Of(
                    lists, depth, (slice, start) => start * (slice == TopSlice.Hour ? HourMilliseconds : DayHours * HourMilliseconds) <= mixed);
                bool last = attempt.IsLast && (candidates.IsWhole || depth == int.MaxValue);
                TopRanking? ranking = await counted.RankAsync(candidates, last, cancellationToken);
                if (ranking is not null)
                {
                    SeriesSums used = await counted.UsedAsync(cancellationToken);
                    return new TopTargets(
                        [.. ranking.Entries.Select(entry => new RankedTarget(entry.Id, entry.Clicks))],
                        ranking.Exact,
                        ranking.ErrorBound,
                        used with { CountedUntil = countedUntil, Finality = used.Incomplete ? null : await sums.FinalityAsync(before, used.From, used.To, cancellationToken) });
                }

                if (candidates.IsWhole)
                {
                    break;
                }
            }
        }

        throw new InvalidOperationException("the last attempt always ranks");
    }

    private static IEnumerable<TopAttempt> Attempts(TopQuestion question)
    {
        int fromHour = (int)SliceSums.FloorDiv(question.From, HourMinutes);
        int toHour = (int)SliceSums.FloorDiv(question.To + HourMinutes - 1, HourMinutes);
        int firstWhole = (int)SliceSums.FloorDiv(fromHour + DayHours - 1, DayHours), endWhole = (int)SliceSums.FloorDiv(toHour, DayHours);
        int first = (int)SliceSums.FloorDiv(fromHour, DayHours), end = (int)SliceSums.FloorDiv(toHour + DayHours - 1, DayHours);

        // Somewhat deeper than all places being in one chain: then their bound is about half of the last place's clicks.
        int[] depths = [(2 * question.Limit) + 56, int.MaxValue];
        bool isWhole = first == firstWhole && end == endWhole;
        if (isWhole || endWhole - firstWhole >= FewDays)
        {
            yield return new TopAttempt((0, 0), (first, end), (0, 0), depths, isWhole);
        }

        if (!isWhole)
        {
            yield return firstWhole >= endWhole
                ? new TopAttempt((fromHour, toHour), (0, 0), (0, 0), [int.MaxValue], true)
                : new TopAttempt((fromHour, firstWhole * DayHours), (firstWhole, endWhole), (endWhole * DayHours, toHour), [int.MaxValue], true);
        }
    }

    private async Task<IReadOnlyList<TopList>> ReadAsync(TargetKind kind, TopAttempt attempt, Task<DayMarks?> marks, CancellationToken cancellationToken)
    {
        var lists = new List<TopList>();
        foreach ((TopSlice slice, (int from, int to)) in
            new[] { (TopSlice.Hour, attempt.HoursBefore), (TopSlice.Day, attempt.Days), (TopSlice.Hour, attempt.HoursBehind) })
        {
            if (from < to)
            {
                lists.AddRange(await reader.ReadCountedTopsAsync(kind, slice, from, to, marks, cancellationToken));
            }
        }

        return lists;
    }

    private static async Task<RankingReads> ReadsAsync(Task<DayMarks?> marks, Task<int?> minutesFloor) => new(await marks, await minutesFloor);

    /// <summary>Which lists, and how deep they are looked at, one after the other.</summary>
    private sealed record TopAttempt((int From, int To) HoursBefore, (int From, int To) Days, (int From, int To) HoursBehind, int[] Depths, bool IsLast);

    /// <summary>Who was counted so far.</summary>
    private sealed class Counted(SliceSums sums, TopQuestion question, Task<RankingReads> reads)
    {
        private readonly Dictionary<string, long> _clicks = new(StringComparer.Ordinal);
        private readonly string _prefix = TargetKinds.Name(question.Kind) + ":";
        private SeriesSums? _used;

        /// <summary>The range that was counted.</summary>
        public async Task<SeriesSums> UsedAsync(CancellationToken cancellationToken) =>
            _used ?? await sums.SumAsync(new SeriesRange([], question.From, question.To), cancellationToken);

        /// <summary>Counts who can be among the first; null where that proves nothing and need not be the answer.</summary>
        public async Task<TopRanking?> RankAsync(TopCandidates candidates, bool last, CancellationToken cancellationToken)
        {
            // Nobody knows yet how many clicks the last place has: who may have about as many at first, then whoever may.
            int next = 0, upTo = FirstOf(candidates);
            while (next < upTo)
            {
                await CountAsync(candidates, next, upTo, cancellationToken);
                next = upTo;
                long place = LastPlace();
                if (!last && place <= candidates.Bound && candidates.Bound > 0)
                {
                    return null;
                }

                while (upTo < candidates.Count && upTo - next < ChunkSize && candidates.AtMost(upTo) >= place)
                {
                    upTo++;
                }
            }

            TopRanking ranking = TopMerge.Rank(_clicks.Select(pair => new TopEntry(pair.Key, pair.Value)), candidates.Bound, question.Limit);
            return ranking.Exact || last ? ranking : null;
        }

        private int FirstOf(TopCandidates candidates)
        {
            int some = Math.Min(candidates.Count, question.Limit + 8);
            if (some >= question.Limit)
            {
                long about = candidates.About(question.Limit - 1);
                while (some < Math.Min(candidates.Count, 2 * question.Limit) && candidates.AtMost(some) >= about - (about / 25))
                {
                    some++;
                }
            }

            return some;
        }

        /// <summary>The clicks of the last place so far; 0 while there are more places than targets.</summary>
        private long LastPlace() =>
            _clicks.Count < question.Limit ? 0 : _clicks.Values.OrderDescending().ElementAt(question.Limit - 1);

        private async Task CountAsync(TopCandidates candidates, int from, int to, CancellationToken cancellationToken)
        {
            string[] ids = [.. Enumerable.Range(from, to - from).Select(n => candidates[n]).Where(id => !_clicks.ContainsKey(id))];
            RankingReads ranking = await reads;
            foreach (string[] some in ids.Chunk(ChunkSize))
            {
                SeriesSums found = await sums.SumAsync(
                    new SeriesRange([.. some.Select(id => _prefix + id + question.Suffix)], question.From, question.To), cancellationToken, ranking);
                for (int n = 0; n < some.Length; n++)
                {
                    _clicks[some[n]] = found.Counts[n].Clicks;
                }

                _used = found with { Counts = [], Incomplete = found.Incomplete || _used?.Incomplete == true };
            }
        }
    }
}
