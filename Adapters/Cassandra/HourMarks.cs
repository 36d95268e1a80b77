using System.Collections.Concurrent;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>
/// Which hours exist, and which of them are open: both are written under the stamp of the batch that touched the hour. See the
/// folder's README.
/// </summary>
internal sealed class HourMarks(CassandraStore store)
{
    private LedgerStatements Statements => store.Statements.Ledger;

    /// <summary>What a batch says of its hours.</summary>
    public IEnumerable<Func<Task>> Puts(BatchRows rows, long now, CancellationToken cancellationToken) =>
    [
        .. rows.Hours.Select(hour => (Func<Task>)(() => PutHourAsync(rows, hour, now, cancellationToken))),
        .. rows.Hours.Union(rows.Opens).Select(hour => (Func<Task>)(() => PutOpenAsync(hour, rows.Chain, rows.Upto, rows.Stamp, now, cancellationToken))),
        .. rows.Corrected.Select(hour => (Func<Task>)(() => PutCorrectedAsync(rows, hour, now, cancellationToken))),
    ];

    /// <summary>Up to where an hour is noted; null where it is not.</summary>
    public async Task<long?> ReadAsync(int hour, int chain, CancellationToken cancellationToken)
    {
        await foreach (CqlRow row in store.Cql.QueryAsync(Statements.ReadHours.Bind(Calendar.DayOf(hour), hour, hour + 1), cancellationToken).ConfigureAwait(false))
        {
            if (row.Get<int>("chain") == chain)
            {
                return row.GetOrDefault<long>("upto");
            }
        }

        return null;
    }

    /// <summary>
    /// Which days that are over the rows are of: a ranking of many days asks this alone of all but the last two. A clock decides which are
    /// over, and readers wait for a day more.
    /// </summary>
    public IEnumerable<Func<Task>> PutLateDays(BatchRows rows, long now, CancellationToken cancellationToken)
    {
        int[] touched = [.. Late(rows.Hours.Select(Calendar.DayOf))];
        return touched.Select(day => Put(store.Statements.PutLateDay, day))
            .Concat(Late(rows.Corrected.Select(Calendar.DayOf).Concat(rows.Tops.Select(list => CassandraStore.DayOf(list.Key)).Except(touched)))
                .Select(day => Put(store.Statements.PutLateDayCorrected, day)));

        IEnumerable<int> Late(IEnumerable<int> days) => days.Distinct().Where(day => Calendar.EndOf(day) <= now);

        Func<Task> Put(CqlStatement statement, int day) => () => store.Cql.ExecuteAsync(
            statement.BindAll(new CqlValues().Add(Math.Max(0, rows.Stamp)).Add(Ttl(day * 24, rows.Stamp, now)).Add(rows.Stamp)
                .Add(Calendar.SpanOf(day * 24L)).Add(day).Add(rows.Chain)),
            cancellationToken);
    }

    public Task PutOpenAsync(int hour, int chain, long upto, long stamp, long now, CancellationToken cancellationToken) => store.Cql.ExecuteAsync(
        Statements.PutOpen.BindAll(new CqlValues().Add(Math.Max(0, stamp)).Add(Ttl(hour, stamp, now)).Add(upto).Add(stamp)
            .Add(Calendar.SpanOf(hour)).Add(hour).Add(chain)),
        cancellationToken);

    /// <summary>
    /// Opens what a build that knew no open hours has counted: before the upgrade, and beside it until the last silo was
    /// replaced. So each start looks. An hour may also be one whose finalisation somebody took away: where there is none it is opened as one
    /// that no click opened, so that the next run tells which it is.
    /// </summary>
    public async Task TakeUpAsync(CancellationToken cancellationToken)
    {
        (long from, long to) = await store.Range.CutAsync(int.MinValue, int.MaxValue, cancellationToken).ConfigureAwait(false);
        if (from < to)
        {
            int first = Calendar.DayOf((int)from), last = Calendar.DayOf((int)(to - 1));
            var without = new ConcurrentBag<(int Hour, int Chain)>();
            long version = 0;
            var turn = new Lock();
            await store.AtOnceAsync(
                Enumerable.Range(0, last - first + 1).Select(n => first + n),
                async (day, token) =>
                {
                    long latest = await TakeUpAsync(day, without, token).ConfigureAwait(false);
                    lock (turn)
                    {
                        version = Math.Max(version, latest);
                    }
                },
                cancellationToken).ConfigureAwait(false);

            // Above what the last finalisation deleted, which may be one of those that are gone; the next one covers it all the same.
            await store.AtOnceAsync(
                without,
                async (of, token) => await store.Cql.ExecuteAsync(
                    Statements.PutReopened.Bind(version + 1, Ttl(of.Hour, 0, store.Keeping.Now()), version, Calendar.SpanOf(of.Hour), of.Hour, of.Chain), token).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The latest version of the finalisations of a day; what has none is only noted.</summary>
    private async Task<long> TakeUpAsync(int day, ConcurrentBag<(int Hour, int Chain)> without, CancellationToken cancellationToken)
    {
        long latest = 0;
        var final = new HashSet<(int Hour, int Chain)>();
        int from = day * 24, to = from + 24;
        var unseen = new Dictionary<(int Hour, int Chain), (long Upto, long Stamp)>();
        await foreach (CqlRow row in store.Cql.QueryAsync(Statements.ReadHours.Bind(day, from, to), cancellationToken).ConfigureAwait(false))
        {
            unseen[(row.Get<int>("hour"), row.Get<int>("chain"))] = (row.GetOrDefault<long>("upto"), row.GetOrDefault<long>("stamp"));
        }

        if (unseen.Count == 0)
        {
            return latest;
        }

        await foreach (CqlRow row in store.Cql.QueryAsync(Statements.ReadOpen.Bind(Calendar.SpanOf(from), from, to), cancellationToken).ConfigureAwait(false))
        {
            Drop(row);
        }

        await foreach (CqlRow row in store.Cql.QueryAsync(Statements.ReadFinals.Bind(day, from, to), cancellationToken).ConfigureAwait(false))
        {
            Drop(row);
            final.Add((row.Get<int>("hour"), row.Get<int>("chain")));
            latest = Math.Max(latest, row.Get<long[]>("versions")[^1]);
        }

        long now = store.Keeping.Now();
        foreach (((int hour, int chain), (long upto, long stamp)) in unseen)
        {
            if (final.Contains((hour, chain)))
            {
                await PutOpenAsync(hour, chain, upto, stamp, now, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                without.Add((hour, chain));
            }
        }

        return latest;

        void Drop(CqlRow row)
        {
            (int, int) key = (row.Get<int>("hour"), row.Get<int>("chain"));
            if (unseen.TryGetValue(key, out (long Upto, long Stamp) mark) && mark.Upto <= row.GetOrDefault<long>("upto"))
            {
                unseen.Remove(key);
            }
        }
    }

    // Beside what batches say of the hour: it is not open by it, and whoever remembers its day learns that it changed.
    private Task<CqlPage> PutCorrectedAsync(BatchRows rows, int hour, long now, CancellationToken cancellationToken) => store.Cql.ExecuteAsync(
        Statements.PutHourCorrected.BindAll(new CqlValues().Add(Math.Max(0, rows.Stamp)).Add(Ttl(hour, rows.Stamp, now)).Add(rows.Stamp)
            .Add(Calendar.DayOf(hour)).Add(hour).Add(rows.Chain)),
        cancellationToken);

    private int Ttl(int hour, long stamp, long now) => store.Keeping.RowTtl(Calendar.DayOf(hour), Keeping.WrittenAt(now, stamp, 0), now);

    private async Task PutHourAsync(BatchRows rows, int hour, long now, CancellationToken cancellationToken)
    {
        await store.Range.NoteAsync(hour, hour, cancellationToken).ConfigureAwait(false);
        await store.Cql.ExecuteAsync(
            Statements.PutHour.BindAll(new CqlValues().Add(Calendar.DayOf(hour)).Add(hour).Add(rows.Chain).Add(rows.Upto).Add(rows.Stamp)
                .Add(Math.Max(0, rows.Stamp)).Add(Ttl(hour, rows.Stamp, now))),
            cancellationToken).ConfigureAwait(false);
    }
}
