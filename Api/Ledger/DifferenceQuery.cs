using ClickAggregator.Api.Queries;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>What a run changes of each target, or would change, where it is a dry one: its ledger, added up.</summary>
internal static class DifferenceQuery
{
    public static readonly string[] Parameters = ["limit", "cursor", "format"];

    // A row is some 300 bytes on its way; more of them than this are read page by page at /corrections.
    private const int MaxRows = 200_000;
    private const int PageSize = 1000;

    public static async Task<IResult> OfRunAsync(QueryContext query, string id) => await AnswerAsync(query, await RunQueries.FindAsync(query, id));

    public static async Task<IResult> OfInvalidationAsync(QueryContext query, string id)
    {
        Invalidation invalidation = await InvalidationQueries.FindAsync(query, id);
        return await AnswerAsync(query, await RunQueries.FindAsync(query, CountQueries.Number(invalidation.Run)));
    }

    private static async Task<IResult> AnswerAsync(QueryContext query, ReconciliationRun run)
    {
        int limit = query.Limit("limit", 100, 1000);
        string? after = query.Value("cursor");
        if (after is not null && !(SeriesName.TryParse(after, out SeriesName place) && IsTarget(place)))
        {
            throw Cursors.Fault();
        }

        SortedDictionary<string, long> targets = await SumAsync(query, run);
        (string Series, long Difference)[] items =
        [
            .. targets.Where(target => after is null || string.CompareOrdinal(target.Key, after) > 0).Take(limit).Select(target => (target.Key, target.Value)),
        ];
        string? next = items.Length < limit ? null : items[^1].Series;
        SeriesSums? now = await NowAsync(query, run, [.. items.Select(item => item.Series)]);
        long? Clicks(int n) => now?.Counts[n].Clicks;
        if (query.WantsCsv)
        {
            return Answer.Table(
                query, next, ["kind", "id", "clicks", "difference"],
                items.Select((item, n) => (string[])[
                    Split(item.Series).Kind, Split(item.Series).Id, Clicks(n) is long clicks ? CountQueries.Number(clicks) : "", CountQueries.Number(item.Difference)]));
        }

        return Answer.Json(json =>
        {
            json.WriteNumber("run", run.Number);
            json.WriteBoolean("dry_run", run.Request.DryRun);
            json.WriteBoolean("complete", run.State is RunState.Done or RunState.DoneInPart);
            json.WriteString("from", Hours.Text(run.Request.FromHour));
            json.WriteString("to", Hours.Text(run.Request.ToHour));
            json.WriteNumber("targets", targets.Count);
            json.WriteNumber("difference", targets.Values.Sum());
            if (now?.Incomplete == true)
            {
                json.WriteBoolean("incomplete", true);
            }

            json.WriteStartArray("items");
            for (int n = 0; n < items.Length; n++)
            {
                (string kind, string id) = Split(items[n].Series);
                json.WriteStartObject();
                json.WriteString("kind", kind);
                json.WriteString("id", id);
                AnswerFields.WriteNumber(json, "clicks", Clicks(n));
                json.WriteNumber("difference", items[n].Difference);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", next);
        });
    }

    /// <summary>All clicks of the targets in the run's hours; null where they are not added up over all of these.</summary>
    private static async Task<SeriesSums?> NowAsync(QueryContext query, ReconciliationRun run, string[] series)
    {
        IReadOnlyDictionary<string, RollupStart> starts = await query.Series.RollupStartsAsync(query.Cancelled);
        string rollup = new Rollup(RollupBase.Target).ToString();
        return starts.TryGetValue(rollup, out RollupStart? start) && start.Covers(run.Request.FromHour, run.Request.ToHour)
            ? await query.Series.SumAsync(new SeriesRange(series, run.Request.FromHour * 60L, run.Request.ToHour * 60L), query.Cancelled)
            : null;
    }

    private static async Task<SortedDictionary<string, long>> SumAsync(QueryContext query, ReconciliationRun run)
    {
        QueryFilter.None.Require(query, RollupBase.Target);
        var targets = new SortedDictionary<string, long>(StringComparer.Ordinal);
        int read = 0;
        LedgerPlace? after = null;
        do
        {
            LedgerPlace? behind = after;
            LedgerPage page = await query.Silos.AskAsync(
                grains => grains.GetGrain<ILedgerGrain>(0).OfRunAsync(run.Number, run.Request.FromHour, run.Request.ToHour, behind, PageSize), query.Cancelled);
            foreach (LedgerRow row in page.Rows.Where(row => row.State is "settled" or "dry"))
            {
                if (SeriesName.TryParse(row.Place.Series, out SeriesName series) && IsTarget(series))
                {
                    targets[row.Place.Series] = targets.GetValueOrDefault(row.Place.Series) + row.After.Sum() - row.Before.Sum();
                }
            }

            read += page.Rows.Count;
            after = page.Next;
            if (read > MaxRows)
            {
                throw new QueryFaultException(
                    "range_too_large", null, $"this run wrote more than {MaxRows:N0} rows; read them page by page: {RunQueries.Route}/{CountQueries.Number(run.Number)}/corrections");
            }
        }
        while (after is not null);
        return targets;
    }

    private static bool IsTarget(SeriesName series) => series is { Base: RollupBase.Target, Country: null, Device: null };

    private static (string Kind, string Id) Split(string series)
    {
        int colon = series.IndexOf(':', StringComparison.Ordinal);
        return (series[..colon], series[(colon + 1)..]);
    }
}
