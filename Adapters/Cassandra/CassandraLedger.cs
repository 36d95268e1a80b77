using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>What reconciliation reads and keeps: here the hours. How writes are ordered: the folder's README.</summary>
internal sealed partial class CassandraLedger(CassandraStore store) : ILedgerStore
{
    private const int SpansAtOnce = 8;

    /// <summary>Days of a span whose finalisations are read at the same time.</summary>
    private const int FinalsAtOnce = 4;

    private LedgerStatements Statements => store.Statements.Ledger;

    public async Task<IReadOnlyList<HourMark>> ReadOpenHoursAsync(int fromHour, int toHour, int limit, CancellationToken cancellationToken)
    {
        var open = new List<HourMark>();
        var life = new DayLife(store, store.Keeping.Now());
        foreach (int[] spans in (await SpansAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false)).Chunk(SpansAtOnce))
        {
            if (open.Count >= limit)
            {
                break;
            }

            open.AddRange(await store.GatherAsync<int, HourMark>(
                spans,
                (span, found, token) => ReadOpenAsync(
                    span, Math.Max(fromHour, span * Calendar.SpanHours), Math.Min(toHour, (span + 1) * Calendar.SpanHours), limit, life, found, token),
                cancellationToken).ConfigureAwait(false));
        }

        return open.Count > limit ? open[..Math.Max(0, limit)] : open;
    }

    public async Task<IReadOnlyList<HourMark>> ReadHoursAsync(int fromHour, int toHour, CancellationToken cancellationToken)
    {
        var life = new DayLife(store, store.Keeping.Now());
        return await store.GatherAsync<int, HourMark>(
            await DaysAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false),
            async (day, found, token) =>
            {
                await foreach (CqlRow row in store.Cql.QueryAsync(Statements.ReadHours.Bind(day, fromHour, toHour), token).ConfigureAwait(false))
                {
                    if (await life.KeepsAsync(day, row.GetOrDefault<long>("stamp") / 1000, token).ConfigureAwait(false))
                    {
                        found.Add(new HourMark(row.Get<int>("hour"), row.Get<int>("chain"), row.GetOrDefault<long>("upto")));
                    }
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<HourFinal>> ReadFinalsAsync(int fromHour, int toHour, CancellationToken cancellationToken)
    {
        var life = new DayLife(store, store.Keeping.Now());
        return await store.GatherAsync<int, HourFinal>(
            await DaysAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false),
            (day, found, token) => ReadFinalsAsync(day, fromHour, toHour, life, found, token),
            cancellationToken).ConfigureAwait(false);
    }

    public async Task WriteFinalAsync(HourFinal final, CancellationToken cancellationToken)
    {
        if (final.Versions.Count == 0)
        {
            throw new ArgumentException("a finalisation has a version", nameof(final));
        }

        // 1. Under its version: one that arrives late loses.
        long version = final.Versions[^1];
        int span = Calendar.SpanOf(final.Hour);
        await store.Range.NoteAsync(final.Hour, final.Hour, cancellationToken).ConfigureAwait(false);
        await PutFinalAsync(final, version, cancellationToken).ConfigureAwait(false);

        // 2. What it closes. A mark goes under its own stamp, so one of a later batch stays, also where it was written since; and
        //    what was opened again at this version, or later, stays.
        var close = new CqlBatch().Add(Statements.DeleteReopened.Bind(version - 1, span, final.Hour, final.Chain));
        CqlRow? found = await store.Cql.QueryFirstAsync(Statements.GetOpen.Bind(span, final.Hour, final.Chain), cancellationToken).ConfigureAwait(false);
        if (found is { } mark && !mark.IsNull("upto") && mark.Get<long>("upto") <= final.Upto)
        {
            close.Add(Statements.DeleteOpen.Bind(mark.Get<long>("at0"), span, final.Hour, final.Chain));
        }

        await store.Cql.ExecuteAsync(close, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whoever deletes a finalisation by a clock has deleted all that is written under a version. So it is read back, and where it is not
    /// there it is written above that, or above what stands there, by as much as its version is later.
    /// </summary>
    private async Task PutFinalAsync(HourFinal final, long version, CancellationToken cancellationToken)
    {
        int day = Calendar.DayOf(final.Hour);
        long time = version;
        foreach (long ahead in s_hoursAhead)
        {
            await store.Cql.ExecuteAsync(
                Statements.PutFinal.BindAll(new CqlValues().Add(day).Add(final.Hour).Add(final.Chain).Add(final.Upto).Add(final.Run)
                    .Add(final.Invalidations).Add(final.Versions.ToArray()).Add(DateTimeOffset.FromUnixTimeMilliseconds(final.At)).Add(time).Add(Ttl(final.Hour, final.At))),
                cancellationToken).ConfigureAwait(false);
            CqlRow? found = await store.Cql.QueryFirstAsync(Statements.GetFinal.Bind(day, final.Hour, final.Chain), cancellationToken).ConfigureAwait(false);
            long stored = found is { } row ? row.Get<long[]>("versions")[^1] : 0;
            if (stored >= version)
            {
                return;
            }

            time = found is { } there ? there.Get<long>("at0") + version - stored : (store.Keeping.Now() * 1000) + (ahead * HourMicros) + version;
        }

        throw new StoreUnavailableException($"hour {final.Hour} of chain {final.Chain} cannot be made final: whatever is written to final_hours is not there");
    }

    public async Task ReopenAsync(int hour, int chain, long version, CancellationToken cancellationToken)
    {
        CqlRow? found = await store.Cql.QueryFirstAsync(Statements.GetFinal.Bind(Calendar.DayOf(hour), hour, chain), cancellationToken).ConfigureAwait(false);

        // What earlier finalisations closed was deleted below the version of the last one.
        version = found is { } final ? final.Get<long[]>("versions")[^1] : version;
        await store.Range.NoteAsync(hour, hour, cancellationToken).ConfigureAwait(false);
        await store.Cql.ExecuteAsync(
            Statements.PutReopened.Bind(version, Ttl(hour, 0), version, Calendar.SpanOf(hour), hour, chain), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The marks of a part of a span that no finalisation covers: one that was deleted may come back, and a replay writes it again.
    /// Cassandra breaks off a read that meets more than 100,000 deleted cells (<c>tombstone_failure_threshold</c>), as many as a long
    /// outage of reconciliation may leave: such a part is read by halves.
    /// </summary>
    private async Task ReadOpenAsync(int span, int fromHour, int toHour, int limit, DayLife life, List<HourMark> open, CancellationToken cancellationToken)
    {
        var found = new List<HourMark>();
        try
        {
            await ReadOpenAsync(Statements.ReadOpen.Bind(span, fromHour, toHour), limit - open.Count, life, found, cancellationToken).ConfigureAwait(false);
        }
        catch (CqlServerException fault) when (fault.Code == CqlErrorCode.ReadFailure && toHour - fromHour > 1)
        {
            int half = fromHour + ((toHour - fromHour) / 2);
            await ReadOpenAsync(span, fromHour, half, limit, life, open, cancellationToken).ConfigureAwait(false);
            await ReadOpenAsync(span, half, toHour, limit, life, open, cancellationToken).ConfigureAwait(false);
            return;
        }

        open.AddRange(found);
    }

    private async Task ReadOpenAsync(CqlCommand read, int limit, DayLife life, List<HourMark> open, CancellationToken cancellationToken)
    {
        var marks = new List<(HourMark Mark, long? ReopenedAt, long Written)>();
        ReadOnlyMemory<byte>? next = null;
        CqlPage page;
        do
        {
            page = await store.Cql.QueryPageAsync(read, next, cancellationToken).ConfigureAwait(false);
            marks.AddRange(page.Select(row => (
                new HourMark(row.Get<int>("hour"), row.Get<int>("chain"), row.GetOrDefault<long>("upto")),
                row.IsNull("reopened_at") ? null : (long?)row.Get<long>("reopened_at"),
                row.GetOrDefault<long>("stamp") / 1000)));
            await CoverAsync(marks, life, open, cancellationToken).ConfigureAwait(false);
            marks.Clear();
            next = page.NextPage;
        }
        while (page.HasMorePages && open.Count < limit);
    }

    private async Task CoverAsync(
        List<(HourMark Mark, long? ReopenedAt, long Written)> marks, DayLife life, List<HourMark> open, CancellationToken cancellationToken)
    {
        (int Day, List<(HourMark Mark, long? ReopenedAt, long Written)> Marks)[] days =
            [.. marks.GroupBy(mark => Calendar.DayOf(mark.Mark.Hour)).Select(ofDay => (ofDay.Key, ofDay.ToList()))];
        var finals = days.Select(_ => new List<HourFinal>()).ToArray();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, days.Length),
            new ParallelOptions { MaxDegreeOfParallelism = FinalsAtOnce, CancellationToken = cancellationToken },
            async (n, token) => await ReadFinalsAsync(
                days[n].Day, days[n].Marks[0].Mark.Hour, days[n].Marks[^1].Mark.Hour + 1, life: null, finals[n], token).ConfigureAwait(false)).ConfigureAwait(false);
        foreach (((int day, List<(HourMark Mark, long? ReopenedAt, long Written)> ofDay), List<HourFinal> finalsOfDay) in days.Zip(finals))
        {
            Dictionary<(int, int), HourFinal> final = finalsOfDay.ToDictionary(one => (one.Hour, one.Chain));
            foreach ((HourMark mark, long? reopenedAt, long written) in ofDay)
            {
                HourFinal? by = final.GetValueOrDefault((mark.Hour, mark.Chain));
                bool isReopened = reopenedAt is long at && (by is null || at >= by.Versions[^1]);
                if ((isReopened || by is null || mark.Upto > by.Upto)
                    && await life.KeepsAsync(day, Math.Max(written, by?.At ?? 0), cancellationToken).ConfigureAwait(false))
                {
                    open.Add(isReopened && by is not null ? mark with { Upto = Math.Max(mark.Upto, by.Upto) } : mark);
                }
            }
        }
    }

    private async Task ReadFinalsAsync(int day, int fromHour, int toHour, DayLife? life, List<HourFinal> found, CancellationToken cancellationToken)
    {
        await foreach (CqlRow row in store.Cql.QueryAsync(Statements.ReadFinals.Bind(day, fromHour, toHour), cancellationToken).ConfigureAwait(false))
        {
            long at = row.Get<DateTimeOffset>("at").ToUnixTimeMilliseconds();
            if (life is null || await life.KeepsAsync(day, at, cancellationToken).ConfigureAwait(false))
            {
                found.Add(new HourFinal(
                    row.Get<int>("hour"), row.Get<int>("chain"), row.Get<long>("upto"), row.Get<long>("run"), row.Get<long>("invalidations"), row.Get<long[]>("versions"), at));
            }
        }
    }

    private int Ttl(int hour, long at)
    {
        long now = store.Keeping.Now();
        return store.Keeping.RowTtl(Calendar.DayOf(hour), Math.Max(now, at), now);
    }

    private async Task<int[]> DaysAsync(int fromHour, int toHour, CancellationToken cancellationToken)
    {
        (long from, long to) = await store.Range.CutAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false);
        return Numbers(from, to, 24);
    }

    private async Task<int[]> SpansAsync(int fromHour, int toHour, CancellationToken cancellationToken)
    {
        (long from, long to) = await store.Range.CutAsync(fromHour, toHour, cancellationToken, HourRange.ManyYears).ConfigureAwait(false);
        return Numbers(from, to, Calendar.SpanHours);
    }

    private static int[] Numbers(long from, long to, long hours)
    {
        int first = (int)Calendar.FloorDiv(from, hours);
        return from >= to ? [] : [.. Enumerable.Range(first, (int)Calendar.FloorDiv(to - 1, hours) - first + 1)];
    }
}
