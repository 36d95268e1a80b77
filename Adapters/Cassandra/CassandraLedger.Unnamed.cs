using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <content>
/// What is stored and named by no index: a range of tokens at a time, page by page, with a request for the names of a hundred series. A
/// name is written before what it names, so whoever reads a row first and its name then finds it. Rows in the partition of a day that is not their
/// hour's are found on the way.
/// </content>
internal sealed partial class CassandraLedger
{
    /// <summary>Days of series whose names are asked for together: some ten MiB, and some tens of them are in one partition of the index.</summary>
    private const int NamesTogether = 100_000;

    private const int NamesInRequest = 100;
    private const int NameRequestsAtOnce = 4;
    private const long HourMicros = 3_600_000_000;

    /// <summary>How far ahead a clock may be that deleted a name: hours by which a name is written later than now until it holds.</summary>
    private static readonly long[] s_hoursAhead = [0, 1, 4, 16, 64, 256, 1024, 4096, 16_384];

    public int UnnamedParts => TokenRange.Count;

    public async IAsyncEnumerable<StrayWindow> FindUnnamedAsync(int part, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (long after, long last) = TokenRange.Of(part);
        var seen = new Dictionary<DayKey, int>();
        var astray = new List<StrayWindow>();
        foreach ((CqlStatement scan, Action<CqlRow> note) in new (CqlStatement, Action<CqlRow>)[] { (Statements.ScanWindowKeys, NoteWindow), (store.Statements.ScanDays, NoteDay) })
        {
            await foreach (CqlRow row in store.Cql.QueryAsync(scan.Bind(after, last), cancellationToken).ConfigureAwait(false))
            {
                note(row);
                foreach (StrayWindow one in astray)
                {
                    yield return one;
                }

                astray.Clear();
                if (seen.Count >= NamesTogether)
                {
                    foreach (WindowKey key in await WithoutNameAsync(seen, cancellationToken).ConfigureAwait(false))
                    {
                        yield return new StrayWindow(key);
                    }

                    seen.Clear();
                }
            }
        }

        foreach (WindowKey key in await WithoutNameAsync(seen, cancellationToken).ConfigureAwait(false))
        {
            yield return new StrayWindow(key);
        }

        void NoteWindow(CqlRow row)
        {
            int hour = row.Get<int>("hour");
            int day = Calendar.DayOf(hour);
            if (row.Get<int>("day") is var stands && stands != day)
            {
                astray.Add(new StrayWindow(new WindowKey(row.Get<string>("series"), hour, row.Get<int>("chain")), stands));
                return;
            }

            Note(new DayKey(row.Get<string>("series"), day, row.Get<int>("chain")), 1 << (hour - (day * 24)));
        }

        void NoteDay(CqlRow row)
        {
            if (CountColumns.Day(row) is { } counts)
            {
                int hours = Enumerable.Range(0, 24).Where(hour => counts.Quarters.AsSpan(hour * 4, 4).ContainsAnyExcept(0)).Aggregate(0, (bits, hour) => bits | (1 << hour));
                Note(new DayKey(row.Get<string>("series"), row.Get<int>("day"), row.Get<int>("chain")), hours);
            }
        }

        void Note(DayKey key, int hours)
        {
            if (hours != 0)
            {
                seen[key] = seen.GetValueOrDefault(key) | hours;
            }
        }
    }

    public bool IsReached(string series) => s_kinds.Contains(SeriesIndex.KindOf(series));

    public async Task<bool> NameAsync(WindowKey key, CancellationToken cancellationToken)
    {
        var day = new DayKey(key.Series, Calendar.DayOf(key.Hour), key.Chain);
        foreach (long ahead in s_hoursAhead)
        {
            long now = store.Keeping.Now();
            await store.Series.PutAsync(day, (now * 1000) + (ahead * HourMicros), now, now, cancellationToken).ConfigureAwait(false);
            if (await store.Series.HasAsync(day, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    public async Task<bool> RemoveAstrayAsync(WindowKey key, int day, CancellationToken cancellationToken)
    {
        if (day == Calendar.DayOf(key.Hour))
        {
            return false; // it is where it belongs
        }

        // Nothing of ours is ever there, so it may be deleted under any time, and ends as a whole.
        foreach (long ahead in s_hoursAhead)
        {
            CqlRow? found = await store.Cql.QueryFirstAsync(store.Statements.GetWindow.Bind(key.Series, day, key.Hour, key.Chain), cancellationToken).ConfigureAwait(false);
            if (found is not { } row)
            {
                return true;
            }

            long time = Math.Max(WindowTable.LatestOf(row), (store.Keeping.Now() * 1000) + (ahead * HourMicros));
            await store.Cql.ExecuteAsync(store.Statements.DeleteWindow.Bind(time, key.Series, day, key.Hour, key.Chain), cancellationToken).ConfigureAwait(false);
        }

        return await store.Cql.QueryFirstAsync(store.Statements.GetWindow.Bind(key.Series, day, key.Hour, key.Chain), cancellationToken).ConfigureAwait(false) is null;
    }

    /// <summary>The windows of those days that no index names.</summary>
    private async Task<IReadOnlyList<WindowKey>> WithoutNameAsync(Dictionary<DayKey, int> days, CancellationToken cancellationToken)
    {
        var named = new HashSet<DayKey>();
        var requests = days.Keys.GroupBy(day => (day.Day, Kind: SeriesIndex.KindOf(day.Series), Bucket: SeriesIndex.BucketOf(day.Series)))
            .SelectMany(of => of.Select(day => day.Series).Distinct(StringComparer.Ordinal).Chunk(NamesInRequest).Select(some => (of.Key, Series: some)));
        await Parallel.ForEachAsync(
            requests,
            new ParallelOptions { MaxDegreeOfParallelism = NameRequestsAtOnce, CancellationToken = cancellationToken },
            async (request, token) =>
            {
                CqlCommand read = Statements.ReadNames.Bind(request.Key.Day, request.Key.Kind, request.Key.Bucket, request.Series);
                await foreach (CqlRow row in store.Cql.QueryAsync(read, token).ConfigureAwait(false))
                {
                    lock (named)
                    {
                        named.Add(new DayKey(row.Get<string>("series"), request.Key.Day, row.Get<int>("chain")));
                    }
                }
            }).ConfigureAwait(false);
        return
        [
            .. days.Where(day => !named.Contains(day.Key)).SelectMany(day => Enumerable.Range(0, 24)
                .Where(hour => (day.Value & (1 << hour)) != 0).Select(hour => new WindowKey(day.Key.Series, (day.Key.Day * 24) + hour, day.Key.Chain))),
        ];
    }
}
