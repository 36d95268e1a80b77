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

        SortedDictionary<string, (long Before, long After)> targets = await SumAsync(query, run);
        (string Series, long Before, long After)[] items =
        [
            .. targets.Where(target => after is null || string.CompareOrdinal(target.Key, after) > 0).Take(limit)
                .Select(target => (target.Key, target.Value.Before, target.Value.After)),
        ];
        string? next = items.Length < limit ? null : items[^1].Series;
        if (query.WantsCsv)
        {
            return Answer.Table(
                query, next, ["kind", "id", "before", "after", "difference"],
                items.Select(item => (string[])[
                    Split(item.Series).Kind, Split(item.Series).Id, CountQueries.Number(item.Before), CountQueries.Number(item.After), CountQueries.Number(item.After - item.Before)]));
        }

        return Answer.Json(json =>
        {
            json.WriteNumber("run", run.Number);
            json.WriteBoolean("dry_run", run.Request.DryRun);
            json.WriteBoolean("complete", run.State is RunState.Done or RunState.DoneInPart);
            json.WriteNumber("targets", targets.Count);
            json.WriteNumber("difference", targets.Values.Sum(target => target.After - target.Before));
            json.WriteStartArray("items");
            foreach ((string series, long before, long clicks) in items)
            {
                (string kind, string id) = Split(series);
                json.WriteStartObject();
                json.WriteString("kind", kind);
                json.WriteString("id", id);
                json.WriteNumber("before", before);
                json.WriteNumber("after", clicks);
                json.WriteNumber("difference", clicks - before);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", next);
        });
    }

    private static async Task<SortedDictionary<string, (long Before, long After)>> SumAsync(QueryContext query, ReconciliationRun run)
    {
        QueryFilter.None.Require(query, RollupBase.Target);
        var targets = new SortedDictionary<string, (long Before, long After)>(StringComparer.Ordinal);
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
                    (long before, long clicks) = targets.GetValueOrDefault(row.Place.Series);
                    targets[row.Place.Series] = (before + row.Before.Sum(), clicks + row.After.Sum());
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
