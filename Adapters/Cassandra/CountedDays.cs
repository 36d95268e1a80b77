using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// Days, and the hour at the end of a range, of series that rankings ask for again and again. They are remembered as long as the
/// day's mark is what it was before they were read: each batch and each correction marks the hours that it touched once its windows are
/// written, and before it is complete.
/// </summary>
internal sealed class CountedDays(CassandraStore store)
{
    /// <summary>Longer nothing is believed: a correction that broke off in the middle, and is not repeated, leaves no mark.</summary>
    private const long LongestMilliseconds = Calendar.HourMilliseconds;

    /// <summary>Of a series no more days than these lie between the first and the last that are remembered.</summary>
    private const int MostDays = 128;

    private readonly Remembered<string, KnownDays> _days = new(store.Options.MaxDayRowsInMemory);
    private readonly Remembered<(string Series, int Hour), Known<HourRow>> _hours = new(store.Options.MaxDayRowsInMemory / 16);

    /// <summary>
    /// Asks of each day for the stamps of its hours; of those that were over a day ago only for what came late, which is a request for all
    /// days of a span, where all silos note it.
    /// </summary>
    public async Task<DayMarks> MarksAsync(int fromDay, int toDay, CancellationToken cancellationToken)
    {
        long? silos = store.MarkedBy();
        long now = store.Keeping.Now();
        var marks = new Mark[toDay - fromDay];
        int late = fromDay;
        while (silos is not null && late < toDay && MayBeOfLate(late, now))
        {
            late++;
        }

        Array.Fill(marks, new Mark(0, 0, 0, silos), 0, late - fromDay);
        int[] spans = late == fromDay ? [] : [.. Enumerable.Range(SpanOf(fromDay), SpanOf(late - 1) - SpanOf(fromDay) + 1)];
        await store.AtOnceAsync(
            spans.Select(span => (Func<CancellationToken, Task>)(token => LateAsync(span, token)))
                .Concat(Enumerable.Range(late, toDay - late).Select(day => (Func<CancellationToken, Task>)(token => HoursAsync(day, token)))),
            static async (read, token) => await read(token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
        return new Marks(fromDay, marks);

        static int SpanOf(int day) => Calendar.SpanOf(day * 24L);

        async Task LateAsync(int span, CancellationToken token)
        {
            await foreach (CqlRow row in store.Cql.QueryAsync(store.Statements.ReadLateDays.Bind(span, fromDay, late), token).ConfigureAwait(false))
            {
                marks[row.Get<int>("day") - fromDay] =
                    new Mark(row.GetOrDefault<long>("stamps"), row.GetOrDefault<long>("corrections"), row.Get<long>("chains"), silos);
            }
        }

        // One partition a request: of several Cassandra warns.
        async Task HoursAsync(int day, CancellationToken token)
        {
            if (await store.Cql.QueryFirstAsync(store.Statements.ReadMarks.Bind(day), token).ConfigureAwait(false) is { } row)
            {
                marks[day - fromDay] = new Mark(row.GetOrDefault<long>("stamps"), row.GetOrDefault<long>("corrections"), row.Get<long>("hours"), null);
            }
        }
    }

    /// <summary>The days, of memory where the marks allow it; else they are read.</summary>
    public async Task<IReadOnlyList<DayRow>> DaysAsync(
        IReadOnlyList<string> series, int fromDay, int toDay, DayMarks marks, CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        Mark[] ofDays = [.. Enumerable.Range(fromDay, toDay - fromDay).Select(day => Of(marks, day))];

        // What may be over is over by the clock, and not remembered.
        bool[] mayBeOver = [.. Enumerable.Range(fromDay, toDay - fromDay).Select(day => store.Keeping.HasEnded(day, now))];
        var rows = new List<DayRow>(series.Count * (toDay - fromDay));
        var missing = new List<(string Series, int From, int To)>();
        var known = new DayRow[]?[toDay - fromDay];
        foreach (string one in series)
        {
            KnownDays? remembered = _days.Find(one);
            int first = toDay, last = fromDay - 1;
            for (int day = fromDay; day < toDay; day++)
            {
                int n = day - fromDay;
                known[n] = mayBeOver[n] ? null : Rows(remembered?.Of(day), ofDays[n], now);
                if (known[n] is null)
                {
                    first = Math.Min(first, day);
                    last = day;
                }
            }

            // One request for all days between: what is known before and behind stays out of it.
            for (int day = fromDay; day < toDay; day++)
            {
                if (day < first || day > last)
                {
                    rows.AddRange(known[day - fromDay]!);
                }
            }

            if (first <= last)
            {
                missing.Add((one, first, last + 1));
            }
        }

        // Those of which the same days are missing go together: mostly all of them, and today.
        (string[] Series, int From, int To)[] parts =
        [
            .. missing.GroupBy(one => (one.From, one.To), one => one.Series)
                .SelectMany(same => same.Chunk(CassandraCountReader.SeriesAtOnce).Select(some => (some, same.Key.From, same.Key.To))),
        ];
        var found = new IReadOnlyList<DayRow>[parts.Length];
        await store.AtOnceAsync(
            Enumerable.Range(0, parts.Length),
            async (n, token) =>
            {
                (string[] some, int from, int to) = parts[n];
                found[n] = await store.Counts.ReadDaysAsync(some, from, to, token).ConfigureAwait(false);
                if (Enumerable.Range(from, to - from).All(day => mayBeOver[day - fromDay]))
                {
                    return;
                }

                ILookup<(string Series, int Day), DayRow> byDay = found[n].ToLookup(row => (row.Series, row.Day));
                foreach (string one in some)
                {
                    KnownDays days = KnownDays.Around(_days.Find(one), fromDay, toDay);
                    for (int day = from; day < to; day++)
                    {
                        if (!mayBeOver[day - fromDay])
                        {
                            days.Put(day, new Known<DayRow>(ofDays[day - fromDay], now, [.. byDay[(one, day)]]));
                        }
                    }

                    _days.Put(one, days, days.Rows);
                }
            },
            cancellationToken).ConfigureAwait(false);
        rows.AddRange(found.SelectMany(some => some));
        return rows;
    }

    /// <summary>The same of one hour, with its minutes.</summary>
    public async Task<IReadOnlyList<HourRow>> HourAsync(IReadOnlyList<string> series, int hour, DayMarks marks, CancellationToken cancellationToken)
    {
        long now = store.Keeping.Now();
        int day = Calendar.DayOf(hour);
        bool mayBeOver = store.Keeping.HasEnded(day, now) || store.Keeping.AreMinutesOver(hour, long.MinValue, now);
        var rows = new List<HourRow>(series.Count);
        var missing = new List<string>();
        foreach (string one in series)
        {
            if (!mayBeOver && Rows(_hours.Find((one, hour)), Of(marks, day), now) is { } known)
            {
                rows.AddRange(known);
            }
            else
            {
                missing.Add(one);
            }
        }

        IReadOnlyList<HourRow> found = await store.Counts.ReadHoursAsync(missing, hour, hour + 1, withMinutes: true, cancellationToken).ConfigureAwait(false);
        if (!mayBeOver)
        {
            ILookup<string, HourRow> bySeries = found.ToLookup(row => row.Series, StringComparer.Ordinal);
            foreach (string one in missing)
            {
                HourRow[] ofOne = [.. bySeries[one]];
                _hours.Put((one, hour), new Known<HourRow>(Of(marks, day), now, ofOne), Math.Max(1, ofOne.Length));
            }
        }

        rows.AddRange(found);
        return rows;
    }

    /// <summary>Whether the day has been over for a day: for whoever writes it is over then, too, though clocks differ.</summary>
    public static bool MayBeOfLate(int day, long now) => Calendar.EndOf(day) <= now - Calendar.DayMilliseconds;

    /// <summary>The mark of a day.</summary>
    public static Mark Of(DayMarks marks, int day) => ((Marks)marks).Of(day);

    /// <summary>Whether what was read then is believed now.</summary>
    public static bool Holds(Mark then, long readAt, Mark mark, long now) => then == mark && Math.Abs(now - readAt) <= LongestMilliseconds;

    private static T[]? Rows<T>(Known<T>? known, Mark mark, long now) =>
        known is not null && Holds(known.Mark, known.ReadAt, mark, now) ? known.Rows : null;

    /// <summary>The stamps of a day's hours, of all chains, by batches and by corrections: each only grows, so a sum is never the same again.</summary>
    /// <param name="Stamps">By batches.</param>
    /// <param name="Corrections">By corrections.</param>
    /// <param name="Rows">How many there are.</param>
    /// <param name="Silos">Who noted it, where it says only what came late: what came in time is not noted.</param>
    public readonly record struct Mark(long Stamps, long Corrections, long Rows, long? Silos)
    {
        /// <summary>Whether the day was over for a day, so that what is said of it holds for its lists, too.</summary>
        public bool IsOfLate => Silos is not null;
    }

    private sealed class Marks(int first, Mark[] marks) : DayMarks
    {
        public Mark Of(int day) => marks[day - first];
    }

    private sealed record Known<T>(Mark Mark, long ReadAt, T[] Rows);

    /// <summary>What is remembered of a series: found at once for all days of a question. Days are put in place while others read.</summary>
    private sealed class KnownDays(int first, Known<DayRow>?[] days)
    {
        /// <summary>How many rows it keeps; a day without any counts as one.</summary>
        public int Rows => days.Sum(day => day is null ? 0 : Math.Max(1, day.Rows.Length));

        /// <summary>The same days, with room for those of a question; without the others, where both are too many.</summary>
        public static KnownDays Around(KnownDays? known, int fromDay, int toDay) => known is null ? new KnownDays(fromDay, new Known<DayRow>?[toDay - fromDay])
            : known.First <= fromDay && known.End >= toDay ? known
            : Math.Max(known.End, toDay) - Math.Min(known.First, fromDay) is var all && all <= MostDays
                ? known.From(Math.Min(known.First, fromDay), all)
                : known.From(fromDay, toDay - fromDay);

        public Known<DayRow>? Of(int day) => (uint)(day - First) < (uint)days.Length ? days[day - First] : null;

        public void Put(int day, Known<DayRow> known) => days[day - First] = known;

        private int First => first;

        private int End => first + days.Length;

        private KnownDays From(int day, int count) => new(day, [.. Enumerable.Range(day, count).Select(Of)]);
    }
}
