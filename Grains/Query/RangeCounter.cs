using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>Clicks of one series, by point.</summary>
/// <param name="Points">Clicks between each two bounds.</param>
/// <param name="Incomplete">A row of the range is set aside.</param>
public sealed record SeriesCounts(long[] Points, bool Incomplete)
{
    /// <summary>Clicks of the whole range: the sum of its points.</summary>
    public long Clicks => Points.Sum();
}

/// <summary>That a ranking asks, and what it has read for all its steps.</summary>
/// <param name="Marks">From <see cref="ICountReader.ReadMarksAsync"/>, for all days that the range touches.</param>
/// <param name="MinutesFloor">From <see cref="ICountReader.ReadMinutesFloorAsync"/>.</param>
internal sealed record RankingReads(DayMarks? Marks, int? MinutesFloor);

/// <summary>Sums ranges from the cheapest slices: whole UTC days from day slices, the edges from hours.</summary>
public static class RangeCounter
{
    private const int HourMinutes = 60;
    private const int DayMinutes = 24 * HourMinutes;

    /// <summary>
    /// Floors <paramref name="from"/> and raises <paramref name="to"/> to the quarter of an hour where minutes are gone.
    /// </summary>
    /// <param name="from">Minutes since the epoch.</param>
    /// <param name="to">Minutes since the epoch, exclusive.</param>
    /// <param name="minutesFloor">The first hour with minutes, or null for all.</param>
    public static (long From, long To) Align(long from, long to, int? minutesFloor)
    {
        long floor = minutesFloor is int hour ? (long)hour * HourMinutes : long.MinValue;
        const int quarter = RangeBounds.QuarterMinutes;
        return (
            from < floor ? FloorDiv(from, quarter) * quarter : from,
            to < floor ? -FloorDiv(-to, quarter) * quarter : to);
    }

    /// <summary>Counts each series between the bounds, over all chains; a series without rows is all zeros.</summary>
    /// <param name="reader">The store.</param>
    /// <param name="series">At most 1,000.</param>
    /// <param name="bounds">Ascending minutes since the epoch, at least two; on quarters where minutes are gone.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public static Task<IReadOnlyDictionary<string, SeriesCounts>> CountAsync(
        ICountReader reader, IReadOnlyList<string> series, long[] bounds, CancellationToken cancellationToken) =>
        CountAsync(reader, series, bounds, null, cancellationToken);

    /// <summary>The same without some days.</summary>
    internal static Task<IReadOnlyDictionary<string, SeriesCounts>> CountWithoutAsync(
        ICountReader reader, IReadOnlyList<string> series, long[] bounds, IReadOnlySet<int> days, CancellationToken cancellationToken) =>
        CountAsync(reader, series, bounds, null, cancellationToken, days);

    /// <summary>
    /// The same, of many series whose days are mostly remembered: for a ranking the days that the range cuts are read as well, in place of
    /// their hours, up to a quarter of an hour or, where it is cut between, up to that hour.
    /// </summary>
    internal static async Task<IReadOnlyDictionary<string, SeriesCounts>> CountAsync(
        ICountReader reader, IReadOnlyList<string> series, long[] bounds, RankingReads? ranking, CancellationToken cancellationToken,
        IReadOnlySet<int>? without = null)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(series);
        ArgumentNullException.ThrowIfNull(bounds);
        long from = bounds[0], to = bounds[^1];
        var totals = series.Distinct(StringComparer.Ordinal)
            .ToDictionary(name => name, _ => new Sum(bounds), StringComparer.Ordinal);
        long firstDay = -FloorDiv(-from, DayMinutes), endDay = FloorDiv(to, DayMinutes);
        bool quarters = bounds.Skip(1).SkipLast(1).All(bound => bound % RangeBounds.QuarterMinutes == 0);
        if (quarters && ranking is not null)
        {
            await AddCountedAsync(ranking.Marks);
        }
        else if (quarters && firstDay < endDay)
        {
            foreach (DayRow row in (await reader.ReadDaysAsync(series, (int)firstDay, (int)endDay, cancellationToken)).Where(row => without?.Contains(row.Day) != true))
            {
                totals[row.Series].Add((long)row.Day * DayMinutes, row.Quarters, RangeBounds.QuarterMinutes, row.SetAside);
            }

            await AddHoursAsync(series, from, firstDay * DayMinutes);
            await AddHoursAsync(series, endDay * DayMinutes, to);
        }
        else
        {
            await AddHoursAsync(series, from, to);
        }

        return totals.ToDictionary(p => p.Key, p => new SeriesCounts(p.Value.Points, p.Value.Incomplete), StringComparer.Ordinal);

        async Task AddCountedAsync(DayMarks? marks)
        {
            long first = from % RangeBounds.QuarterMinutes == 0 ? from : -FloorDiv(-from, HourMinutes) * HourMinutes;
            long end = to % RangeBounds.QuarterMinutes == 0 ? to : FloorDiv(to, HourMinutes) * HourMinutes;
            if (first >= end)
            {
                await AddHoursAsync(series, from, to);
                return;
            }

            // Which hour of a day is set aside the day does not say: where it is cut, its hours do.
            IReadOnlyList<DayRow> rows = await reader.ReadCountedDaysAsync(
                series, (int)FloorDiv(first, DayMinutes), (int)-FloorDiv(-end, DayMinutes), marks, cancellationToken);
            HashSet<(string Series, int Day)> unsure = [];
            foreach (DayRow row in rows)
            {
                if (row.SetAside && (row.Day < firstDay || row.Day >= endDay))
                {
                    unsure.Add((row.Series, row.Day));
                }
            }

            (string? series, Sum? sum) last = (null, null);
            foreach (DayRow row in rows)
            {
                // They come series by series, thirty days of each.
                if (!ReferenceEquals(last.series, row.Series))
                {
                    last = (row.Series, totals[row.Series]);
                }

                long start = (long)row.Day * DayMinutes;
                if (start >= first && start + DayMinutes <= end && last.sum!.TryAddWhole(start, DayMinutes, row.Clicks, row.SetAside))
                {
                    continue;
                }

                if (unsure.Count == 0 || !unsure.Contains((row.Series, row.Day)))
                {
                    last.sum!.Add(start, Between(row.Quarters, first - start, end - start), RangeBounds.QuarterMinutes, row.SetAside);
                }
            }

            foreach (IGrouping<int, string> day in unsure.GroupBy(each => each.Day, each => each.Series))
            {
                await AddHoursAsync([.. day], Math.Max(first, (long)day.Key * DayMinutes), Math.Min(end, (day.Key + 1L) * DayMinutes));
            }

            foreach (long cut in new[] { (Cut: from, Is: from < first), (Cut: to, Is: end < to) }.Where(each => each.Is).Select(each => each.Cut))
            {
                AddHourRows(await reader.ReadCountedHourAsync(series, (int)FloorDiv(cut, HourMinutes), marks, cancellationToken), withMinutes: true);
            }
        }

        async Task AddHoursAsync(IReadOnlyList<string> some, long start, long end)
        {
            if (start >= end)
            {
                return;
            }

            int firstHour = (int)FloorDiv(start, HourMinutes), endHour = (int)-FloorDiv(-end, HourMinutes);
            bool withMinutes = !quarters || start % RangeBounds.QuarterMinutes != 0 || end % RangeBounds.QuarterMinutes != 0;
            AddHourRows(await reader.ReadHoursAsync(some, firstHour, endHour, withMinutes, cancellationToken), withMinutes);
        }

        void AddHourRows(IReadOnlyList<HourRow> rows, bool withMinutes)
        {
            foreach (HourRow row in rows.Where(row => without?.Contains((int)FloorDiv(row.Hour, 24)) != true))
            {
                Sum sum = totals[row.Series];
                if (withMinutes && row.Minutes is { } minutes)
                {
                    sum.Add((long)row.Hour * HourMinutes, minutes, 1, row.SetAside);
                }
                else
                {
                    sum.Add((long)row.Hour * HourMinutes, row.Quarters, RangeBounds.QuarterMinutes, row.SetAside);
                }
            }
        }
    }

    /// <summary>The quarters of a day, without those outside of these minutes of it.</summary>
    private static long[] Between(long[] quarters, long from, long to)
    {
        if (from <= 0 && to >= DayMinutes)
        {
            return quarters;
        }

        long[] some = new long[quarters.Length];
        int first = (int)Math.Max(0, from / RangeBounds.QuarterMinutes), end = (int)(Math.Min(DayMinutes, to) / RangeBounds.QuarterMinutes);
        quarters.AsSpan(first, end - first).CopyTo(some.AsSpan(first));
        return some;
    }

    /// <summary>Adds (or, by -1, takes away) the counts of an hour: 60 minutes, or 4 quarters.</summary>
    internal static void Add(long[] points, long[] bounds, int hour, long[] counts, int sign)
    {
        int step = HourMinutes / counts.Length;
        for (int i = 0; i < counts.Length; i++)
        {
            long minute = ((long)hour * HourMinutes) + ((long)i * step);
            int found = Array.BinarySearch(bounds, minute);
            int point = found >= 0 ? found : ~found - 1;
            if (point >= 0 && point < points.Length)
            {
                points[point] += sign * counts[i];
            }
        }
    }

    private static long FloorDiv(long value, long by) => (value - (((value % by) + by) % by)) / by;

    private sealed class Sum(long[] bounds)
    {
        public long[] Points { get; } = new long[bounds.Length - 1];

        public bool Incomplete { get; private set; }

        /// <summary>Adds what lies between two bounds as a whole; false where a bound cuts it.</summary>
        public bool TryAddWhole(long start, long minutes, long clicks, bool setAside)
        {
            int found = Array.BinarySearch(bounds, start);
            int point = found >= 0 ? found : ~found - 1;
            if (point < 0 || point >= Points.Length || start + minutes > bounds[point + 1])
            {
                return false;
            }

            Incomplete |= setAside;
            Points[point] += clicks;
            return true;
        }

        public void Add(long start, long[] counts, int step, bool setAside)
        {
            Incomplete |= setAside;
            int found = Array.BinarySearch(bounds, start);
            int point = found >= 0 ? found : ~found - 1;
            for (int i = 0; i < counts.Length; i++)
            {
                long minute = start + ((long)i * step);
                while (point + 1 < bounds.Length && bounds[point + 1] <= minute)
                {
                    point++;
                }

                if (point >= Points.Length)
                {
                    return;
                }

                if (point >= 0)
                {
                    Points[point] += counts[i];

                    // Minutes expired between the look at their floor and this read: the quarter straddles a bound.
                    Incomplete |= counts[i] > 0 && minute + step > bounds[point + 1];
                }
            }
        }
    }
}
