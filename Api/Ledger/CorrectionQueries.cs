using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Queries;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>The ledger: every correction, by hour, by what was counted, and by run.</summary>
internal static class CorrectionQueries
{
    public static readonly string[] HourParameters = ["hour", "limit", "cursor", "format"];

    public static readonly string[] RunParameters = ["limit", "cursor", "format"];

    public static readonly string[] SubjectParameters =
        [.. QueryRange.Names.Where(name => name != "granularity"), "country", "device", "limit", "cursor", "format"];

    private const string ByDefault = "30d";

    /// <summary>The ledger of one hour.</summary>
    public static async Task<IResult> OfHourAsync(QueryContext query)
    {
        int hour = Hours.Read("hour", query.Value("hour") ?? throw new QueryFaultException("invalid_parameter", "hour", "'hour' is needed: any time in it, such as 2026-11-22T19:00Z"));
        (int limit, LedgerPlace? after) = Page(query);
        IReadOnlyList<LedgerRow> rows = await query.Silos.AskAsync(grains => grains.GetGrain<ILedgerGrain>(0).OfHourAsync(hour, after, limit), query.Cancelled);
        return Show(query, rows, rows.Count < limit ? null : rows[^1].Place);
    }

    /// <summary>The ledger of one thing that is counted.</summary>
    public static async Task<IResult> OfSubjectAsync(QueryContext query, Subject subject)
    {
        var range = QueryRange.Read(query.Value, query.Now, query.Limits, ByDefault);
        var filter = QueryFilter.Read(query.Value);
        filter.Require(query, subject.Base);
        (int limit, LedgerPlace? after) = Page(query);
        (int from, int to) = Hours.Of(range);
        string series = subject.Series + filter.Suffix;
        IReadOnlyList<LedgerRow> rows = await query.Silos.AskAsync(
            grains => grains.GetGrain<ILedgerGrain>(0).OfSeriesAsync(series, from, to, after, limit), query.Cancelled);
        return Show(query, rows, rows.Count < limit ? null : rows[^1].Place);
    }

    /// <summary>What one run wrote. A page may be empty and yet not the last.</summary>
    public static async Task<IResult> OfRunAsync(QueryContext query, string id)
    {
        ReconciliationRun run = await RunQueries.FindAsync(query, id);
        (int limit, LedgerPlace? after) = Page(query);
        LedgerPage page = await query.Silos.AskAsync(
            grains => grains.GetGrain<ILedgerGrain>(0).OfRunAsync(run.Number, run.Request.FromHour, run.Request.ToHour, after, limit), query.Cancelled);
        return Show(query, page.Rows, page.Next);
    }

    private static (int Limit, LedgerPlace? After) Page(QueryContext query) => (query.Limit("limit", 100, 1000), Cursors.Place(query.Value("cursor")));

    private static IResult Show(QueryContext query, IReadOnlyList<LedgerRow> rows, LedgerPlace? next) => query.WantsCsv
        ? Answer.Table(
            query, Cursors.Text(next), ["hour", "chain", "run", "series", "cause", "state", "before", "after", "upto", "at", "detail"],
            rows.Select(row => (string[])[
                Hours.Text(row.Place.Hour), Text(row.Place.Chain), Text(row.Place.Run), row.Place.Series, row.Cause, row.State,
                Text(row.Before.Sum()), Text(row.After.Sum()), Text(row.Upto), Hours.Moment(row.At)!, row.Detail ?? ""]))
        : Answer.Json(json =>
        {
            json.WriteStartArray("items");
            foreach (LedgerRow row in rows)
            {
                json.WriteStartObject();
                json.WriteString("hour", Hours.Text(row.Place.Hour));
                json.WriteNumber("chain", row.Place.Chain);
                json.WriteNumber("run", row.Place.Run);
                json.WriteString("series", row.Place.Series);
                json.WriteString("cause", row.Cause);
                json.WriteString("state", row.State);
                json.WriteNumber("before", row.Before.Sum());
                json.WriteNumber("after", row.After.Sum());
                WriteQuarters(json, "before_quarters", row.Before);
                WriteQuarters(json, "after_quarters", row.After);
                json.WriteNumber("upto", row.Upto);
                json.WriteString("at", Hours.Moment(row.At));
                json.WriteString("detail", row.Detail);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", Cursors.Text(next));
        });

    private static void WriteQuarters(Utf8JsonWriter json, string name, long[] quarters)
    {
        json.WriteStartArray(name);
        foreach (long quarter in quarters)
        {
            json.WriteNumberValue(quarter);
        }

        json.WriteEndArray();
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
