using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Query;

/// <summary>
/// Sums series from the coarsest slices that answer the question: whole UTC days from the days' quarter-hours, what is
/// left over from hours, and their minutes only where an edge falls between two quarters.
/// </summary>
internal sealed class SliceSums(ICountReader reader, ProgressBoard board)
{
    private const int MinutesPerDay = 1440;

    public async Task<SeriesSums> SumAsync(SeriesRange range, CancellationToken cancellationToken)
    {
        // Before the rows are read: what was counted then is in them.
        long countedUntil = CountedUntil();
        int? floor = await reader.ReadMinutesFloorAsync(cancellationToken);
        long from = Coarse(range.From, floor) ? Floor(range.From, 15) : range.From;
        long to = Coarse(range.To - 1, floor) ? Floor(range.To + 14, 15) : range.To;

        var tally = new Tally(range, from, to);
        if (to > from)
        {
            await ReadAsync(range, from, to, tally, cancellationToken);
        }

        return new SeriesSums(tally.Counts(), from, to, countedUntil, tally.Incomplete);
    }

    public long CountedUntil()
    {
        IReadOnlyList<PartitionProgress> partitions = board.Snapshot();
        return partitions.Count == 0 ? 0 : partitions.Min(partition => partition.CountedUntil);
    }

    private async Task ReadAsync(SeriesRange range, long from, long to, Tally tally, CancellationToken cancellationToken)
    {
        bool byMinute = range.Edges is { } edges && edges.Any(edge => edge > from && edge % 15 != 0);
        long firstDay = FloorDiv(from + MinutesPerDay - 1, MinutesPerDay);
        long lastDay = FloorDiv(to, MinutesPerDay);
        if (byMinute || firstDay >= lastDay)
        {
            await HoursAsync(from, to);
            return;
        }

        await HoursAsync(from, firstDay * MinutesPerDay);
        foreach (DayRow row in await reader.ReadDaysAsync(range.Series, (int)firstDay, (int)lastDay, cancellationToken))
        {
            tally.Incomplete |= row.SetAside;
            for (int quarter = 0; quarter < 96; quarter++)
            {
                tally.Add(row.Series, ((long)row.Day * MinutesPerDay) + (quarter * 15), row.Quarters[quarter]);
            }
        }

        await HoursAsync(lastDay * MinutesPerDay, to);

        async Task HoursAsync(long start, long end)
        {
            if (end <= start)
            {
                return;
            }

            bool withMinutes = byMinute || start % 15 != 0 || end % 15 != 0;
            foreach (HourRow row in await reader.ReadHoursAsync(
                range.Series, (int)FloorDiv(start, 60), (int)FloorDiv(end + 59, 60), withMinutes, cancellationToken))
            {
                tally.Incomplete |= row.SetAside;
                int parts = row.Minutes is null ? 4 : 60;
                for (int part = 0; part < parts; part++)
                {
                    long clicks = row.Minutes is null ? row.Quarters[part] : row.Minutes[part];
                    long minute = (row.Hour * 60L) + (row.Minutes is null ? part * 15 : part);
                    if (clicks != 0 && minute >= start && minute < end)
                    {
                        tally.Add(row.Series, minute, clicks);
                    }
                }
            }
        }
    }

    private static bool Coarse(long minute, int? floor) => floor is int hour && FloorDiv(minute, 60) < hour;

    private static long Floor(long minute, long unit) => FloorDiv(minute, unit) * unit;

    internal static long FloorDiv(long value, long unit) => value >= 0 ? value / unit : ~(~value / unit);

    /// <summary>Adds counts up by series and, where points are asked for, by point.</summary>
    private sealed class Tally
    {
        private readonly SeriesRange _range;
        private readonly long[]? _edges;
        private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
        private readonly long[] _clicks;
        private readonly long[]?[] _points;

        public Tally(SeriesRange range, long from, long to)
        {
            _range = range;
            _edges = range.Edges is null ? null : [.. range.Edges];
            if (_edges is { Length: > 0 })
            {
                _edges[0] = Math.Min(_edges[0], from);
            }

            _ = to;
            _clicks = new long[range.Series.Count];
            _points = new long[]?[range.Series.Count];
            for (int n = 0; n < _clicks.Length; n++)
            {
                _places[range.Series[n]] = n;
                _points[n] = _edges is null ? null : new long[_edges.Length];
            }
        }

        public bool Incomplete { get; set; }

        public void Add(string series, long minute, long clicks)
        {
            if (clicks == 0)
            {
                return;
            }

            int place = _places[series];
            _clicks[place] += clicks;
            if (_edges is not null)
            {
                int at = Array.BinarySearch(_edges, minute);
                _points[place]![at >= 0 ? at : ~at - 1] += clicks;
            }
        }

        /// <summary>In the order asked, repeats answered alike.</summary>
        public IReadOnlyList<SeriesCount> Counts() =>
            [.. _range.Series.Select(series => new SeriesCount(series, _clicks[_places[series]], _points[_places[series]]))];
    }
}
