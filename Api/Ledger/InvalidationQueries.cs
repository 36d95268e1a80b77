using System.Text;
using System.Text.Json;
using ClickAggregator.Api.Queries;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>Clicks that are taken back: asking for it, looking at it, ending it.</summary>
internal static class InvalidationQueries
{
    public const string Route = "/v1/invalidations";
    private const int MaxReason = 500;
    private const string Example = """{"from":"2026-11-22","to":"2026-11-23","user_id":"u-9","reason":"a bot","dry_run":true}""";

    public static readonly string[] ListParameters = ["limit", "cursor", "format"];
    private static readonly string[] s_targets = [.. TargetKinds.All.Select(kind => TargetKinds.Name(kind) + "_id")];
    private static readonly string[] s_conditions = [.. s_targets, "campaign_id", "user_id", "device", "country", "referrer"];
    private static readonly string[] s_texts = ["from", "to", .. s_conditions, "reason"];
    private static readonly string[] s_flags = ["all", "dry_run"];

    /// <summary>What the body of an order may hold, for its description.</summary>
    public static IReadOnlyList<BodyField> Fields { get; } =
    [
        new("from", "Clicks from this time on, to the millisecond: a date (midnight UTC) or an ISO 8601 time with a zone.", Required: true),
        new("to", "Clicks before this time.", Required: true),
        .. s_targets.Select(name => new BodyField(name, "Clicks on one target; at most one of these.")),
        new("campaign_id", "Clicks of one campaign."),
        new("user_id", "Clicks of one user."),
        new("device", "Clicks from one device."),
        new("country", "Clicks from one country, two letters."),
        new("referrer", "Clicks from one host."),
        new("all", "Every click of the range: has to be said, and true, where none of the conditions above is given.", IsFlag: true),
        new("reason", "Why, for whoever asks later; 1 to 500 characters.", Required: true),
        new("dry_run", "Reports what it would change, and changes nothing.", IsFlag: true),
    ];

    public static async Task<IResult> CreateAsync(QueryContext query)
    {
        OrderBody body = await OrderBody.ReadAsync(query, Example, s_texts, s_flags);
        var request = new InvalidationRequest(Filter(body, query), Reason(body), body.Flag("dry_run"), query.By);
        RequireConditions(body);
        Invalidation made = await query.Silos.Grains.GetGrain<IReconciliationGrain>(0).InvalidateAsync(request);
        query.Http.Response.Headers.Location = $"{Route}/{CountQueries.Number(made.Number)}";
        return Answer.Json(json => Write(json, made), StatusCodes.Status202Accepted);
    }

    public static async Task<IResult> ListAsync(QueryContext query)
    {
        int limit = query.Limit("limit", 100, 1000);
        long? below = Cursors.Number(query.Value("cursor"));
        IReadOnlyList<Invalidation> all = await query.Silos.AskAsync(
            grains => grains.GetGrain<IReconciliationGrain>(0).GetInvalidationsAsync(below, limit), query.Cancelled);
        string? next = all.Count < limit ? null : CountQueries.Number(all[^1].Number);
        if (query.WantsCsv)
        {
            return Answer.Table(
                query, next,
                ["id", "dry_run", "from", "to", "target", "campaign_id", "user_id", "device", "country", "referrer", "reason", "by", "at", "run", "revoked_at", "revoked_by", "revoking_run"],
                all.Select(one => (string[])[
                    CountQueries.Number(one.Number), one.Request.DryRun ? "true" : "false", Hours.Moment(one.Request.Filter.FromTime)!, Hours.Moment(one.Request.Filter.ToTime)!,
                    one.Request.Filter.TargetId is { } id ? $"{TargetKinds.Name(one.Request.Filter.Kind)}:{id}" : "", one.Request.Filter.CampaignId ?? "", one.Request.Filter.UserId ?? "",
                    one.Request.Filter.Device ?? "", one.Request.Filter.Country ?? "", one.Request.Filter.Referrer ?? "", one.Request.Reason, one.Request.By ?? "", Hours.Moment(one.At)!,
                    CountQueries.Number(one.Run), Hours.Moment(one.RevokedAt) ?? "", one.RevokedBy ?? "", one.RevokingRun is long run ? CountQueries.Number(run) : ""]));
        }

        return Answer.Json(json =>
        {
            json.WriteStartArray("items");
            foreach (Invalidation one in all)
            {
                json.WriteStartObject();
                Write(json, one);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", next);
        });
    }

    public static async Task<IResult> GetAsync(QueryContext query, string id)
    {
        Invalidation one = await FindAsync(query, id);
        return Answer.Json(json => Write(json, one));
    }

    public static async Task<IResult> RevokeAsync(QueryContext query, string id)
    {
        Invalidation? ended = Cursors.TryNumber(id, out long number)
            ? await query.Silos.Grains.GetGrain<IReconciliationGrain>(0).RevokeAsync(number, query.By)
            : null;
        return ended is null ? throw NotFound() : Answer.Json(json => Write(json, ended), StatusCodes.Status202Accepted);
    }

    /// <exception cref="QueryFaultException">There is no such invalidation.</exception>
    public static async Task<Invalidation> FindAsync(QueryContext query, string id)
    {
        if (!Cursors.TryNumber(id, out long number) || number == long.MaxValue)
        {
            throw NotFound();
        }

        IReadOnlyList<Invalidation> found = await query.Silos.AskAsync(
            grains => grains.GetGrain<IReconciliationGrain>(0).GetInvalidationsAsync(number + 1, 1), query.Cancelled);
        return found.FirstOrDefault(one => one.Number == number) ?? throw NotFound();
    }

    private static InvalidationFilter Filter(OrderBody body, QueryContext query)
    {
        long from = QueryRange.Moment("from", body.Required("from"), TimeZoneInfo.Utc);
        long to = QueryRange.Moment("to", body.Required("to"), TimeZoneInfo.Utc);
        RunQueries.RequireRange((int)Math.Floor(from / 3_600_000d), from < to ? (int)Math.Floor((to + 3_599_999) / 3_600_000d) : int.MinValue, query);
        string[] targets = [.. s_targets.Where(name => body.Text(name) is not null)];
        if (targets.Length > 1)
        {
            throw new QueryFaultException("invalid_parameter", targets[1], "only one of " + string.Join(", ", s_targets) + " may be given");
        }

        string? country = body.Text("country")?.ToUpperInvariant();
        if (country is not null && !IdRules.IsCountry(country))
        {
            throw new QueryFaultException("invalid_parameter", "country", "'country' is two letters");
        }

        string? device = body.Text("device");
        if (device is not null && !IdRules.IsDevice(device))
        {
            throw new QueryFaultException("invalid_parameter", "device", "'device' is 1 to 32 characters of A-Z a-z 0-9 . _ ~ : -");
        }

        string? target = targets is [var name] ? Id(body, name) : null;
        TargetKind kind = target is not null && TargetKinds.TryParseName(targets[0].AsSpan()[..^"_id".Length], out TargetKind parsed) ? parsed : TargetKind.None;
        return new InvalidationFilter(from, to, kind, target, Id(body, "campaign_id"), Id(body, "user_id"), device, country, Referrer(body));
    }

    // A field that was forgotten, or is null, would take back every click of the range.
    private static void RequireConditions(OrderBody body)
    {
        string[] given = [.. s_conditions.Where(name => body.Text(name) is not null)];
        if (given.Length == 0 && !body.Flag("all"))
        {
            throw new QueryFaultException(
                "filter_missing", null,
                $"no condition says which clicks: at least one of {string.Join(", ", s_conditions)} is needed, or \"all\":true for every click from 'from' to 'to'");
        }

        if (given.Length > 0 && body.Flag("all"))
        {
            throw new QueryFaultException("invalid_parameter", "all", $"'all' means every click of the range; it does not go with '{given[0]}'");
        }
    }

    private static string? Id(OrderBody body, string name) => body.Text(name) is not { } id || IdRules.IsId(id)
        ? body.Text(name)
        : throw new QueryFaultException("invalid_parameter", name, Subject.IdRule);

    // By the rule by which clicks keep it.
    private static string? Referrer(OrderBody body)
    {
        if (body.Text("referrer") is not { } text)
        {
            return null;
        }

        byte[] host = new byte[ReferrerHost.MaxBytes];
        return ReferrerHost.TryRead(Encoding.UTF8.GetBytes(text), host, out int length) && length > 0
            ? Encoding.UTF8.GetString(host, 0, length)
            : throw new QueryFaultException("invalid_parameter", "referrer", "'referrer' is a host, such as news.example");
    }

    private static string Reason(OrderBody body)
    {
        string reason = body.Required("reason").Trim();
        return reason.Length is >= 1 and <= MaxReason && !reason.Any(char.IsControl)
            ? reason
            : throw new QueryFaultException("invalid_parameter", "reason", $"'reason' is a line of 1 to {MaxReason} characters");
    }

    private static void Write(Utf8JsonWriter json, Invalidation one)
    {
        InvalidationFilter filter = one.Request.Filter;
        json.WriteNumber("id", one.Number);
        json.WriteBoolean("dry_run", one.Request.DryRun);
        json.WriteString("reason", one.Request.Reason);
        json.WriteStartObject("filter");
        json.WriteString("from", Hours.Moment(filter.FromTime));
        json.WriteString("to", Hours.Moment(filter.ToTime));
        WriteIf(json, filter.TargetId is null ? "" : TargetKinds.Name(filter.Kind) + "_id", filter.TargetId);
        WriteIf(json, "campaign_id", filter.CampaignId);
        WriteIf(json, "user_id", filter.UserId);
        WriteIf(json, "device", filter.Device);
        WriteIf(json, "country", filter.Country);
        WriteIf(json, "referrer", filter.Referrer);
        json.WriteEndObject();
        json.WriteString("by", one.Request.By);
        json.WriteString("at", Hours.Moment(one.At));
        json.WriteNumber("run", one.Run);
        json.WriteString("revoked_at", Hours.Moment(one.RevokedAt));
        json.WriteString("revoked_by", one.RevokedBy);
        AnswerFields.WriteNumber(json, "revoking_run", one.RevokingRun);
    }

    private static void WriteIf(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static QueryFaultException NotFound() => new("not_found", null, "there is no invalidation of this number") { Status = 404 };
}
