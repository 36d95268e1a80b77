using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Queries;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>Runs of reconciliation: which there were, how far one is, and asking for one.</summary>
internal static class RunQueries
{
    public const string Route = "/v1/reconciliations";
    private const string Example = """{"from":"2026-11-22","to":"2026-11-23","dry_run":true}""";

    public static readonly string[] ListParameters = ["limit", "cursor", "format"];
    private static readonly string[] s_texts = ["from", "to", "mode", "rollup"];
    private static readonly string[] s_flags = ["dry_run", "search"];

    /// <summary>What the body of an order may hold, for its description.</summary>
    public static IReadOnlyList<BodyField> Fields { get; } =
    [
        new("from", "The first hour: a date (midnight UTC) or an ISO 8601 time with a zone; floored to the hour. With rollup it may be left out: from the first click on."),
        new("to", "Like from, exclusive; raised to the hour. With rollup it is not given: up to where the rollup was switched on."),
        new("mode", "direct (the default: archived clicks are added up) or republish: they are also sent through a log of their own and counted by the counting's own code, and where the two differ nothing is corrected (recounts_differ)."),
        new("rollup", "A rollup that was switched on later, such as target|country: makes up for its history, as far as the archive has it."),
        new("dry_run", "Reports what differs, and changes nothing.", IsFlag: true),
        new("search", "Looks through all that is stored first, for rows that no index names: in Cassandra no run finds those, and the search by itself only within Reconciliation:SweepEvery. It reads the whole store. Not with dry_run: what is found gets a name.", IsFlag: true),
    ];

    public static async Task<IResult> ListAsync(QueryContext query)
    {
        int limit = query.Limit("limit", 100, 1000);
        long? below = Cursors.Number(query.Value("cursor"));
        IReadOnlyList<ReconciliationRun> runs = await query.Silos.AskAsync(
            grains => grains.GetGrain<IReconciliationGrain>(0).GetRunsAsync(below, limit), query.Cancelled);
        string? next = runs.Count < limit ? null : Text(runs[^1].Number);
        if (query.WantsCsv)
        {
            return Answer.Table(
                query, next,
                ["id", "reason", "state", "mode", "dry_run", "from", "to", "by", "asked_at", "started_at", "ended_at", "hours_planned", "hours_done", "clicks_read", "corrections", "clicks_changed", "troubles"],
                runs.Select(run => (string[])[
                    Text(run.Number), run.Reason, State(run.State), Mode(run.Request.Mode), run.Request.DryRun ? "true" : "false", Hours.Text(run.Request.FromHour), Hours.Text(run.Request.ToHour),
                    run.Request.By ?? "", Hours.Moment(run.AskedAt)!, Hours.Moment(run.StartedAt) ?? "", Hours.Moment(run.EndedAt) ?? "", Text(run.HoursPlanned), Text(run.HoursDone),
                    Text(run.ClicksRead), Text(run.Corrections), Text(run.ClicksChanged), Text(run.Troubles.Count)]));
        }

        return Answer.Json(json =>
        {
            json.WriteStartArray("items");
            foreach (ReconciliationRun run in runs)
            {
                json.WriteStartObject();
                Write(json, run, query.Now);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", next);
        });
    }

    public static async Task<IResult> GetAsync(QueryContext query, string id)
    {
        ReconciliationRun run = await FindAsync(query, id);
        return Answer.Json(json => Write(json, run, query.Now));
    }

    public static async Task<IResult> StartAsync(QueryContext query)
    {
        OrderBody body = await OrderBody.ReadAsync(query, Example, s_texts, s_flags);
        if (body.Text("rollup") is { } rollup)
        {
            return await RebuildAsync(query, body, rollup);
        }

        int from = Hours.Read("from", body.Required("from"));
        int to = Hours.Read("to", body.Required("to"), raise: true);
        RunMode mode = body.Text("mode") switch
        {
            null or "direct" => RunMode.Direct,
            "republish" => RunMode.Republish,
            _ => throw new QueryFaultException("invalid_parameter", "mode", "'mode' is direct or republish"),
        };
        RequireRange(from, to, query);
        if (body.Flag("search") && body.Flag("dry_run"))
        {
            throw new QueryFaultException("invalid_parameter", "search", "'search' does not go with 'dry_run': what it finds gets a name");
        }

        ReconciliationRun run = await query.Silos.Grains.GetGrain<IReconciliationGrain>(0)
            .StartAsync(new RunRequest(from, to, mode, body.Flag("dry_run"), query.By, Search: body.Flag("search")));
        query.Http.Response.Headers.Location = $"{Route}/{Text(run.Number)}";
        return Answer.Json(json => Write(json, run, query.Now), StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> RebuildAsync(QueryContext query, OrderBody body, string rollup)
    {
        foreach (string name in (string[])["to", "mode"])
        {
            if (body.Text(name) is not null)
            {
                throw new QueryFaultException("invalid_parameter", name, $"'{name}' does not go with 'rollup'");
            }
        }

        if (body.Flag("search"))
        {
            throw new QueryFaultException("invalid_parameter", "search", "'search' does not go with 'rollup'");
        }

        int? from = body.Text("from") is { } text ? Hours.Read("from", text) : null;
        IReadOnlyList<ReconciliationRun> runs = await query.Silos.Grains.GetGrain<IReconciliationGrain>(0).RebuildAsync(rollup, from, body.Flag("dry_run"), query.By);
        query.Http.Response.Headers.Location = $"{Route}/{Text(runs[0].Number)}";
        return Answer.Json(json => Write(json, runs[0], query.Now), StatusCodes.Status202Accepted);
    }

    /// <exception cref="QueryFaultException">There is no such run.</exception>
    public static async Task<ReconciliationRun> FindAsync(QueryContext query, string id) =>
        Cursors.TryNumber(id, out long number)
        && await query.Silos.AskAsync(grains => grains.GetGrain<IReconciliationGrain>(0).GetRunAsync(number), query.Cancelled) is { } run
            ? run
            : throw new QueryFaultException("not_found", null, "there is no run of this number; the latest 1,000 are kept") { Status = 404 };

    /// <exception cref="QueryFaultException">It is none, or too long.</exception>
    public static void RequireRange(int fromHour, int toHour, QueryContext query)
    {
        if (fromHour >= toHour)
        {
            throw new QueryFaultException("invalid_parameter", "to", "'to' has to be after 'from'");
        }

        if (toHour - fromHour > query.Limits.Range.TotalHours)
        {
            throw new QueryFaultException(
                "range_too_large", null, string.Create(CultureInfo.InvariantCulture, $"a range has at most {query.Limits.Range.TotalDays:0.##} days (Limits:Range)"));
        }
    }

    public static void Write(Utf8JsonWriter json, ReconciliationRun run, DateTimeOffset now)
    {
        json.WriteNumber("id", run.Number);
        json.WriteString("reason", run.Reason);
        json.WriteString("state", State(run.State));
        json.WriteString("mode", Mode(run.Request.Mode));
        json.WriteString("rollup", run.Request.Rebuild?.Rollup);
        json.WriteBoolean("dry_run", run.Request.DryRun);
        json.WriteString("from", Hours.Text(run.Request.FromHour));
        json.WriteString("to", Hours.Text(run.Request.ToHour));
        json.WriteString("by", run.Request.By);
        json.WriteString("asked_at", Hours.Moment(run.AskedAt));
        json.WriteString("not_before", Hours.Moment(run.NotBefore));
        json.WriteString("started_at", Hours.Moment(run.StartedAt));
        json.WriteString("ended_at", Hours.Moment(run.EndedAt));
        if (run.Search is { } search)
        {
            json.WriteStartObject("search");
            json.WriteNumber("parts", search.Parts);
            json.WriteNumber("parts_done", search.PartsDone);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("search");
        }

        json.WriteNumber("hours_planned", run.HoursPlanned);
        json.WriteNumber("hours_done", run.HoursDone);
        json.WriteNumber("clicks_read", run.ClicksRead);
        AnswerFields.WriteNumber(json, "seconds_left", SecondsLeft(run, now));
        json.WriteString("waits_for", run.WaitsFor);
        json.WriteNumber("corrections", run.Corrections);
        json.WriteNumber("clicks_changed", run.ClicksChanged);
        json.WriteStartArray("changes");
        foreach (RollupChange change in run.Changes ?? [])
        {
            json.WriteStartObject();
            json.WriteString("rollup", change.Rollup);
            json.WriteNumber("windows", change.Windows);
            json.WriteNumber("raised", change.Raised);
            json.WriteNumber("lowered", change.Lowered);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("troubles");
        foreach (RunTrouble trouble in run.Troubles)
        {
            json.WriteStartObject();
            json.WriteString("hour", Hours.Text(trouble.Hour));
            json.WriteNumber("chain", trouble.Chain);
            json.WriteString("code", trouble.Code);
            json.WriteString("message", trouble.Message);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>How long a run goes on if its hours take as long as they took so far; null while nobody can tell.</summary>
    internal static long? SecondsLeft(ReconciliationRun run, DateTimeOffset now) => run switch
    {
        { EndedAt: not null } => 0,
        { WaitsFor: not null } => null,
        { StartedAt: long start, HoursDone: > 0 } => (long)Math.Ceiling(
            Math.Max(0, now.ToUnixTimeMilliseconds() - start) / 1000d / run.HoursDone * Math.Max(0, run.HoursPlanned - run.HoursDone)),
        _ => null,
    };

    private static string State(RunState state) => state == RunState.DoneInPart ? "done_in_part" : state.ToString().ToLowerInvariant();

    private static string Mode(RunMode mode) => mode.ToString().ToLowerInvariant();

    private static string Text(long number) => CountQueries.Number(number);
}
