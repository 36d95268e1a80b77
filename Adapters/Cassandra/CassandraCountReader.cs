using System.Collections.Concurrent;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Answers queries from the slices: a request for each partition that is touched, some of them at the same time.</summary>
internal sealed partial class CassandraCountReader(CassandraStore store) : ICountReader
{
    /// <summary>A range of more days than these is asked first which of them exist.</summary>
    private const int FewDays = 4;

    /// <summary>Of so many series together: a request has its own price, and one of very many would hold back others.</summary>
    internal const int SeriesAtOnce = 16;
    private const int MostMarks = 100;

    private static readonly Task<DayMarks?> s_noMarks = Task.FromResult<DayMarks?>(null);

    public async Task<IReadOnlyList<HourRow>> ReadHoursAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, bool withMinutes, CancellationToken cancellationToken)
    {
        IReadOnlyList<(string Series, int Day)> parts = await DaysOfAsync(series, fromHour, toHour, cancellationToken).ConfigureAwait(false);
        return await ReadRowsAsync(
            withMinutes ? Together(parts) : parts.Select(part => (new[] { part.Series }, part.Day)),
            (some, day) => some.Length > 1 ? store.Statements.ReadHoursOfSeries.Bind(some, day, fromHour, toHour)
                : (withMinutes ? store.Statements.ReadHoursWithMinutes : store.Statements.ReadHours).Bind(some[0], day, fromHour, toHour),
            withMinutes,
            static (_, row) => row,
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<StandingRow>> ReadStandingAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken)
    {
        IReadOnlyList<(string Series, int Day)> parts = await DaysOfAsync(series, fromHour, toHour, cancellationToken).ConfigureAwait(false);
        return await ReadRowsAsync(
            Together(parts),
            (some, day) => store.Statements.ReadStanding.Bind(some, day, fromHour, toHour),
            withMinutes: true,
            static (stored, row) => new StandingRow(
                row, stored.GetOrDefault<long>("upto"), stored.GetOrDefault<string>("run") is { Length: > 0 } run ? run : null,
                WindowTable.AtFinalOf(new WindowKey(row.Series, row.Hour, row.Chain), stored)),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The days of some series that the hours touch.</summary>
    private async Task<IReadOnlyList<(string Series, int Day)>> DaysOfAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        (long from, long to) = await store.Range.CutAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false);
        int fromDay = Calendar.DayOf((int)from), toDay = Calendar.DayFrom((int)to);
        return from >= to ? []
            : toDay - fromDay <= FewDays ? [.. series.SelectMany(one => Enumerable.Range(fromDay, toDay - fromDay).Select(day => (one, day)))]
            : await DaysThatExistAsync(series, fromDay, toDay, cancellationToken).ConfigureAwait(false);
    }

    private static IEnumerable<(string[] Series, int Day)> Together(IEnumerable<(string Series, int Day)> parts) =>
        parts.GroupBy(part => part.Day, part => part.Series).SelectMany(day => day.Chunk(SeriesAtOnce).Select(some => (some, day.Key)));

    private async Task<List<TRow>> ReadRowsAsync<TRow>(
        IEnumerable<(string[] Series, int Day)> parts, Func<string[], int, CqlCommand> read, bool withMinutes, Func<CqlRow, HourRow, TRow> make,
        CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        return await store.GatherAsync<(string[] Series, int Day), TRow>(
            [.. parts],
            async (part, rows, token) =>
            {
                var dayWritten = new Dictionary<string, Dictionary<int, long>>(StringComparer.Ordinal);
                await foreach (CqlRow row in store.Cql.QueryAsync(read(part.Series, part.Day), token).ConfigureAwait(false))
                {
                    int hour = row.Get<int>("hour");
                    if (Calendar.DayOf(hour) != part.Day)
                    {
                        continue; // somebody put it into another day's partition: it is in no answer, and reconciliation takes it away
                    }

                    string one = SeriesOf(row, part.Series);
                    int chain = row.Get<int>("chain");
                    long written = WindowTable.WrittenOf(row);
                    if (store.Keeping.IsOver(part.Day, written, now))
                    {
                        // The hour is old; its day may have been written since, and goes as a whole.
                        if (!dayWritten.TryGetValue(one, out Dictionary<int, long>? byChain))
                        {
                            dayWritten[one] = byChain = await store.Series.WrittenAsync(one, part.Day, token).ConfigureAwait(false);
                        }

                        if (store.Keeping.IsOver(part.Day, byChain.GetValueOrDefault(chain), now))
                        {
                            continue;
                        }
                    }

                    long[] quarters = row.Get<long[]>("quarters");
                    bool whole = quarters.Length == 4;
                    long[]? minutes = withMinutes && !store.Keeping.AreMinutesOver(hour, written, now) ? CountColumns.Minutes(row) : null;
                    rows.Add(make(row, new HourRow(one, hour, chain, whole ? quarters : new long[4], minutes, !whole || row.GetOrDefault<bool>("set_aside"))));
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<DayRow>> ReadDaysAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long now = store.Keeping.Now();
        IReadOnlyList<(string Series, int Year)> parts = await YearsAsync(series, fromDay, toDay, cancellationToken).ConfigureAwait(false);
        return await store.GatherAsync<(string[] Series, int Year), DayRow>(
            [.. parts.GroupBy(part => part.Year, part => part.Series).SelectMany(year => year.Chunk(SeriesAtOnce).Select(some => (some, year.Key)))],
            async (part, rows, token) =>
            {
                CqlCommand read = part.Series.Length > 1
                    ? store.Statements.ReadDaysOfSeries.Bind(part.Series, part.Year, fromDay, toDay)
                    : store.Statements.ReadDays.Bind(part.Series[0], part.Year, fromDay, toDay);
                await foreach (CqlRow row in store.Cql.QueryAsync(read, token).ConfigureAwait(false))
                {
                    int day = row.Get<int>("day");
                    if (Calendar.YearOf(day) == part.Year && CountColumns.Day(row) is { } hours && !store.Keeping.IsOver(day, WindowTable.WrittenOf(row), now))
                    {
                        rows.Add(new DayRow(SeriesOf(row, part.Series), day, row.Get<int>("chain"), hours.Quarters, hours.SetAside));
                    }
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<DayMarks?> ReadMarksAsync(int fromDay, int toDay, CancellationToken cancellationToken)
    {
        // Longer ranges than anybody remembers are read.
        cancellationToken.ThrowIfCancellationRequested();
        return toDay - fromDay <= MostMarks ? await store.CountedDays.MarksAsync(fromDay, toDay, cancellationToken).ConfigureAwait(false) : null;
    }

    public Task<IReadOnlyList<DayRow>> ReadCountedDaysAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, DayMarks? marks, CancellationToken cancellationToken) => marks is null
            ? ReadDaysAsync(series, fromDay, toDay, cancellationToken)
            : store.CountedDays.DaysAsync(series, fromDay, toDay, marks, cancellationToken);

    public Task<IReadOnlyList<HourRow>> ReadCountedHourAsync(
        IReadOnlyList<string> series, int hour, DayMarks? marks, CancellationToken cancellationToken) => marks is null
            ? ReadHoursAsync(series, hour, hour + 1, withMinutes: true, cancellationToken)
            : store.CountedDays.HourAsync(series, hour, marks, cancellationToken);

    public Task<IReadOnlyList<TopList>> ReadTopsAsync(TargetKind kind, TopSlice slice, int from, int to, CancellationToken cancellationToken) =>
        ReadCountedTopsAsync(kind, slice, from, to, s_noMarks, cancellationToken);

    public async Task<IReadOnlyList<TopList>> ReadCountedTopsAsync(
        TargetKind kind, TopSlice slice, int from, int to, Task<DayMarks?> marks, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long hours = slice == TopSlice.Hour ? 1 : 24;
        (long first, long last) = await store.Range.CutAsync(from * hours, to * hours, cancellationToken).ConfigureAwait(false);
        first = Calendar.FloorDiv(first, hours);
        last = -Calendar.FloorDiv(-last, hours);
        return first < last ? await store.Tops.ReadAsync(kind, slice, (int)first, (int)last, marks, cancellationToken).ConfigureAwait(false) : [];
    }

    public async Task<IReadOnlyList<string>> ListSeriesAsync(
        string prefix, int fromHour, int toHour, string? after, int limit, CancellationToken cancellationToken)
    {
        (long from, long to) = await store.Range.CutAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false);
        return await store.Series.ListAsync(
            prefix, Calendar.DayOf((int)from), Calendar.DayFrom((int)to), after, limit, store.Keeping.Now(), cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyDictionary<string, string>> ReadPageUrlsAsync(IReadOnlyList<string> pageIds, CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        var urls = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        await store.AtOnceAsync(
            pageIds.Distinct(StringComparer.Ordinal),
            async (id, token) =>
            {
                if (await store.Pages.ReadAsync("page:" + id, now, token).ConfigureAwait(false) is string url)
                {
                    urls[id] = url;
                }
            },
            cancellationToken).ConfigureAwait(false);
        return urls;
    }

    public async Task<int?> ReadMinutesFloorAsync(CancellationToken cancellationToken)
    {
        // Minutes go by their last write: in a store that is younger than they are kept, none have gone.
        long now = store.Keeping.Now();
        long floor = store.Keeping.MinutesFloor(now);
        if (!await store.Range.WasWrittenBeforeAsync(store.Keeping.MinutesKeptSince(now), cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        return await store.Range.HasBeforeAsync(floor, cancellationToken).ConfigureAwait(false) ? (int)floor : null;
    }

    /// <summary>Whose row it is, of those that were asked for together; of one alone the row does not say it.</summary>
    private static string SeriesOf(CqlRow row, string[] series) => series.Length > 1 ? row.Get<string>("series") : series[0];

    /// <summary>Days are written before their windows: where there is no day there is no window.</summary>
    private async Task<IReadOnlyList<(string Series, int Day)>> DaysThatExistAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken) => await store.GatherAsync<(string Series, int Year), (string, int)>(
            await YearsAsync(series, fromDay, toDay, cancellationToken).ConfigureAwait(false),
            async (part, found, token) =>
            {
                var days = new SortedSet<int>();
                CqlCommand read = store.Statements.ReadWritten.Bind(part.Series, part.Year, fromDay, toDay);
                await foreach (CqlRow row in store.Cql.QueryAsync(read, token).ConfigureAwait(false))
                {
                    days.Add(row.Get<int>("day"));
                }

                found.AddRange(days.Select(day => (part.Series, day)));
            },
            cancellationToken).ConfigureAwait(false);

    private async Task<IReadOnlyList<(string Series, int Year)>> YearsAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, CancellationToken cancellationToken)
    {
        (long from, long to) = await store.Range.CutAsync(fromDay * 24L, toDay * 24L, cancellationToken, HourRange.ManyYears).ConfigureAwait(false);
        if (from >= to)
        {
            return [];
        }

        int first = Calendar.YearOf((int)Calendar.FloorDiv(from, 24)), last = Calendar.YearOf((int)Calendar.FloorDiv(to - 1, 24));
        return [.. series.SelectMany(one => Enumerable.Range(first, last - first + 1).Select(year => (one, year)))];
    }
}
