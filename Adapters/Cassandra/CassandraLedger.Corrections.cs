using System.Runtime.CompilerServices;
using System.Text.Json;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Adapters.Cassandra;

/// <content>
/// Corrections, and counts as they stood before. A correction is written twice, by hour and by series; one hour of a chain is
/// spread over as many partitions as the series of a day, because all of it may be corrected at once.
/// </content>
internal sealed partial class CassandraLedger
{
    private static readonly Dictionary<CorrectionCause, string> s_causes = Names<CorrectionCause>();
    private static readonly Dictionary<CorrectionState, string> s_states = Names<CorrectionState>();
    private static readonly Dictionary<string, CorrectionCause> s_causeOf = s_causes.ToDictionary(name => name.Value, name => name.Key);
    private static readonly Dictionary<string, CorrectionState> s_stateOf = s_states.ToDictionary(name => name.Value, name => name.Key);
    private static readonly IComparer<CorrectionRow> s_inHour = Comparer<CorrectionRow>.Create(static (x, y) =>
        SeriesOrder.Instance.Compare(x.Key.Series, y.Key.Series) is int order and not 0 ? order : x.Run.CompareTo(y.Run));

    private readonly WriteClock _clock = new(store.Keeping.Time);

    public async Task WriteCorrectionsAsync(IReadOnlyList<CorrectionRow> rows, CancellationToken cancellationToken)
    {
        await store.AtOnceAsync(
            rows.Select(row => (row.Key.Hour, row.Key.Chain)).Distinct(),
            async (key, token) =>
            {
                await store.Range.NoteAsync(key.Hour, key.Hour, token).ConfigureAwait(false);
                await store.Cql.ExecuteAsync(
                    Statements.PutCorrected.Bind(Calendar.DayOf(key.Hour), key.Hour, key.Chain, _clock.Next(), Ttl(key.Hour, 0)), token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);

        // The later of two of the same key is the one that stands: so they are stamped in their order.
        await store.AtOnceAsync(
            rows.Select(row => (Row: row, Stamp: _clock.Next())).ToArray(),
            async (write, token) =>
            {
                CorrectionRow row = write.Row;
                int ttl = Ttl(row.Key.Hour, row.At);
                await store.Cql.ExecuteAsync(
                    Statements.PutCorrectionOfHour.BindAll(ValuesOf(row).Add(SeriesIndex.BucketOf(row.Key.Series)).Add(write.Stamp).Add(ttl)), token).ConfigureAwait(false);
                await store.Cql.ExecuteAsync(
                    Statements.PutCorrectionOfSeries.BindAll(ValuesOf(row).Add(Calendar.SpanOf(row.Key.Hour)).Add(write.Stamp).Add(ttl)), token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsAsync(int hour, CorrectionRow? after, int limit, CancellationToken cancellationToken)
    {
        var found = new List<CorrectionRow>();
        if (limit <= 0)
        {
            return found;
        }

        int day = Calendar.DayOf(hour);
        var life = new DayLife(store, store.Keeping.Now());
        var chains = new List<int>();
        await foreach (CqlRow row in store.Cql.QueryAsync(
            Statements.ReadCorrected.Bind(day, hour, after?.Key.Chain ?? int.MinValue), cancellationToken).ConfigureAwait(false))
        {
            chains.Add(row.Get<int>("chain"));
        }

        foreach (int chain in chains)
        {
            bool goesOn = after is not null && after.Key.Chain == chain;
            string series = goesOn ? after!.Key.Series : "";
            long run = goesOn ? after!.Run : long.MinValue;
            CqlCommand[] buckets = [.. Enumerable.Range(0, SeriesIndex.Buckets)
                .Select(bucket => Statements.ReadCorrectionsOfHour.Bind(hour, chain, (sbyte)bucket, series, run))];
            await foreach (CorrectionRow row in MergedRows.ReadAsync(store, buckets, CorrectionOf, s_inHour, cancellationToken).ConfigureAwait(false))
            {
                if (!await life.KeepsAsync(day, row.At, cancellationToken).ConfigureAwait(false))
                {
                    continue;
                }

                found.Add(row);
                if (found.Count == limit)
                {
                    return found;
                }
            }
        }

        return found;
    }

    public async Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsOfAsync(
        string series, int fromHour, int toHour, CorrectionRow? after, int limit, CancellationToken cancellationToken)
    {
        var found = new List<CorrectionRow>();
        var life = new DayLife(store, store.Keeping.Now());

        // A row before the range is behind nothing of it.
        after = after is { } given && given.Key.Hour < fromHour ? null : after;
        fromHour = after?.Key.Hour ?? fromHour;
        foreach (int[] spans in (await SpansAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false)).Chunk(SpansAtOnce))
        {
            if (found.Count >= limit)
            {
                break;
            }

            found.AddRange(await store.GatherAsync<int, CorrectionRow>(
                spans,
                async (span, rows, token) =>
                {
                    CqlCommand read = Statements.ReadCorrectionsOfSeries.Bind(
                        series, span, fromHour, after?.Key.Chain ?? int.MinValue, after?.Run ?? long.MinValue, toHour);
                    await foreach (CqlRow row in store.Cql.QueryAsync(read, token).ConfigureAwait(false))
                    {
                        CorrectionRow correction = CorrectionOf(row);
                        if (await life.KeepsAsync(Calendar.DayOf(correction.Key.Hour), correction.At, token).ConfigureAwait(false))
                        {
                            rows.Add(correction);
                        }

                        if (rows.Count >= limit)
                        {
                            break;
                        }
                    }
                },
                cancellationToken).ConfigureAwait(false));
        }

        return found.Count > limit ? found[..Math.Max(0, limit)] : found;
    }

    public Task WriteHistoryAsync(IReadOnlyList<HistoryRow> rows, CancellationToken cancellationToken) => store.AtOnceAsync(
        rows,
        async (row, token) =>
        {
            await store.Range.NoteAsync(row.Key.Hour, row.Key.Hour, token).ConfigureAwait(false);

            // The first of all has the highest timestamp.
            await store.Cql.ExecuteAsync(
                Statements.PutHistory.BindAll(new CqlValues().Add(row.Key.Series).Add(Calendar.SpanOf(row.Key.Hour)).Add(row.Key.Hour).Add(row.Key.Chain)
                    .Add(row.Ordinal).Add(row.Quarters).Add(CountColumns.Minutes(row.Minutes)).Add((long.MaxValue / 2) - _clock.Next()).Add(Ttl(row.Key.Hour, 0))),
                token).ConfigureAwait(false);

            // Behind the row: who reads a mark finds its row.
            await store.Cql.ExecuteAsync(
                Statements.PutHistoryMark.Bind(
                    row.Key.Series, Calendar.SpanOf(row.Key.Hour), row.Key.Hour, row.Key.Chain, row.Ordinal, HistoryMark.Of(row).Check, (long.MaxValue / 2) - _clock.Next(), Ttl(row.Key.Hour, 0)),
                token).ConfigureAwait(false);
        },
        cancellationToken);

    public Task<IReadOnlyList<HistoryRow>> ReadHistoryAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) => ReadOfAsync(
        Statements.ReadHistory, series, fromHour, toHour,
        static (key, row) => new HistoryRow(key, row.Get<int>("ordinal"), CountColumns.Minutes(row), row.Get<long[]>("quarters")), cancellationToken);

    public Task<IReadOnlyList<HistoryMark>> ReadHistoryMarksAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) => ReadOfAsync(
        Statements.ReadHistoryMarks, series, fromHour, toHour, MarkOf, cancellationToken);

    public async IAsyncEnumerable<HistoryMark> ScanHistoryMarksAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var life = new DayLife(store, store.Keeping.Now());
        await foreach (CqlRow row in store.Cql.QueryAsync(Statements.ScanHistoryMarks.Bind(), cancellationToken).ConfigureAwait(false))
        {
            var key = new WindowKey(row.Get<string>("series"), row.Get<int>("hour"), row.Get<int>("chain"));
            if (await life.KeepsAsync(Calendar.DayOf(key.Hour), 0, cancellationToken).ConfigureAwait(false))
            {
                yield return MarkOf(key, row);
            }
        }
    }

    private static HistoryMark MarkOf(WindowKey key, CqlRow row) => new(key, row.Get<int>("ordinal"), row.Get<long>("sum"));

    private async Task<IReadOnlyList<T>> ReadOfAsync<T>(
        CqlStatement statement, IReadOnlyList<string> series, int fromHour, int toHour, Func<WindowKey, CqlRow, T> read, CancellationToken cancellationToken)
    {
        var life = new DayLife(store, store.Keeping.Now());
        int[] spans = await SpansAsync(fromHour, toHour, cancellationToken).ConfigureAwait(false);
        return await store.GatherAsync<(string Series, int Span), T>(
            [.. series.SelectMany(one => spans.Select(span => (one, span)))],
            async (part, rows, token) =>
            {
                await foreach (CqlRow row in store.Cql.QueryAsync(statement.Bind(part.Series, part.Span, fromHour, toHour), token).ConfigureAwait(false))
                {
                    var key = new WindowKey(part.Series, row.Get<int>("hour"), row.Get<int>("chain"));
                    if (await life.KeepsAsync(Calendar.DayOf(key.Hour), 0, token).ConfigureAwait(false))
                    {
                        rows.Add(read(key, row));
                    }
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static CqlValues ValuesOf(CorrectionRow row) => new CqlValues().Add(s_causes[row.Cause]).Add(s_states[row.State]).Add(row.Before).Add(row.After)
        .Add(row.Upto).Add(DateTimeOffset.FromUnixTimeMilliseconds(row.At)).Add(row.Detail ?? "").Add(row.Key.Series).Add(row.Run).Add(row.Key.Hour).Add(row.Key.Chain);

    private CorrectionRow CorrectionOf(CqlRow row)
    {
        _clock.Saw(row.GetOrDefault<long>("at0"));
        string detail = row.GetOrDefault<string>("detail") ?? "";
        return new CorrectionRow(
            row.Get<long>("run"),
            new WindowKey(row.Get<string>("series"), row.Get<int>("hour"), row.Get<int>("chain")),
            s_causeOf.GetValueOrDefault(row.GetOrDefault<string>("cause") ?? ""),
            s_stateOf.GetValueOrDefault(row.GetOrDefault<string>("state") ?? ""),
            row.Get<long[]>("before"),
            row.Get<long[]>("after"),
            row.Get<long>("upto"),
            row.Get<DateTimeOffset>("at").ToUnixTimeMilliseconds(),
            detail.Length > 0 ? detail : null);
    }

    private static Dictionary<T, string> Names<T>()
        where T : struct, Enum => Enum.GetValues<T>().ToDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
}
