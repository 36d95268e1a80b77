using System.Text.Json;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Ledger;

/// <summary>Erasing a user's clicks from the archive: asking for it, and looking at it.</summary>
internal static class ErasureQueries
{
    public const string Route = "/v1/erasures";
    private const int MaxReason = 500;
    private const string Example = """{"user_id":"u-9","reason":"request 4711","dry_run":true}""";

    public static readonly string[] ListParameters = ["limit", "cursor", "format"];
    private static readonly string[] s_texts = ["user_id", "reason"];
    private static readonly string[] s_flags = ["dry_run"];

    /// <summary>What the body of an order may hold, for its description.</summary>
    public static IReadOnlyList<BodyField> Fields { get; } =
    [
        new("user_id", "Whose clicks.", Required: true),
        new("reason", "Why, for whoever asks later; 1 to 500 characters, without the user's id.", Required: true),
        new("dry_run", "Says which objects hold the user, and changes nothing.", IsFlag: true),
    ];

    public static async Task<IResult> CreateAsync(QueryContext query)
    {
        OrderBody body = await OrderBody.ReadAsync(query, Example, s_texts, s_flags);
        string user = body.Required("user_id");
        if (!IdRules.IsId(user))
        {
            throw new QueryFaultException("invalid_parameter", "user_id", Subject.IdRule);
        }

        string reason = body.Required("reason").Trim();
        if (reason.Length is < 1 or > MaxReason || reason.Any(char.IsControl))
        {
            throw new QueryFaultException("invalid_parameter", "reason", $"'reason' is a line of 1 to {MaxReason} characters");
        }

        Erasure made = await query.Silos.Grains.GetGrain<IErasureGrain>(0).AskAsync(new ErasureRequest(user, reason, body.Flag("dry_run"), query.By));
        query.Http.Response.Headers.Location = $"{Route}/{CountQueries.Number(made.Number)}";
        return Answer.Json(json => Write(json, made, query), StatusCodes.Status202Accepted);
    }

    public static async Task<IResult> ListAsync(QueryContext query)
    {
        int limit = query.Limit("limit", 100, 1000);
        long? below = Cursors.Number(query.Value("cursor"));
        IReadOnlyList<Erasure> all = await query.Silos.AskAsync(grains => grains.GetGrain<IErasureGrain>(0).GetAllAsync(below, limit), query.Cancelled);
        string? next = all.Count < limit ? null : CountQueries.Number(all[^1].Number);
        if (query.WantsCsv)
        {
            return Answer.Table(
                query, next,
                ["id", "dry_run", "state", "reason", "by", "asked_at", "started_at", "ended_at", "objects", "clicks", "copies_until", "troubles"],
                all.Select(one => (string[])[
                    CountQueries.Number(one.Number), one.DryRun ? "true" : "false", State(one.State), one.Reason, one.By ?? "", Hours.Moment(one.AskedAt)!,
                    Hours.Moment(one.StartedAt) ?? "", Hours.Moment(one.EndedAt) ?? "", CountQueries.Number(one.Objects), CountQueries.Number(one.Rows),
                    Hours.Moment(CopiesUntil(one, query)) ?? "", CountQueries.Number(one.Troubles.Count)]));
        }

        return Answer.Json(json =>
        {
            json.WriteStartArray("items");
            foreach (Erasure one in all)
            {
                json.WriteStartObject();
                Write(json, one, query);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", next);
        });
    }

    public static async Task<IResult> GetAsync(QueryContext query, string id)
    {
        Erasure one = (Cursors.TryNumber(id, out long number)
            ? await query.Silos.AskAsync(grains => grains.GetGrain<IErasureGrain>(0).GetAsync(number), query.Cancelled)
            : null) ?? throw new QueryFaultException("not_found", null, "there is no erasure of this number; the latest 1,000 are kept") { Status = 404 };
        return Answer.Json(json => Write(json, one, query));
    }

    /// <summary>The last click came into a log at latest then, and the logs forget after their retention.</summary>
    private static long? CopiesUntil(Erasure one, QueryContext query)
    {
        ApiSettings settings = query.Http.RequestServices.GetRequiredService<ApiSettings>();
        TimeSpan clickLog = settings.ClickLog.Retention;
        TimeSpan longest = settings.Kafka is { } kafka && kafka.Silo.Clicks.Retention > clickLog ? kafka.Silo.Clicks.Retention : clickLog;
        return one.LoggedUntil + (long)longest.TotalMilliseconds;
    }

    private static IEnumerable<string> Notes(Erasure one, QueryContext query)
    {
        ApiSettings settings = query.Http.RequestServices.GetRequiredService<ApiSettings>();
        yield return "a log forgets whole segments, once the last record in one is past the retention: the click log's last segment of a partition stays until a next one is begun (ClickLog:SegmentBytes)"
            + (settings.Kafka is null ? "" : ", and Kafka's begins one after segment.ms");
        yield return "dead letters are looked through by nobody: a record that is no click may hold anything";
        if (settings.Archive.S3 is not null)
        {
            yield return "a bucket with versions keeps the objects as they were, until its lifecycle ends old versions; so do copies that were made of it";
        }

        yield return "copies and backups of the data directory or the store keep what they had";
        yield return one.Invalidations.Count > 0
            ? "the invalidations that are named here keep the user's id in their filters; invalidations that are made from now on fit no click that was erased"
            : "invalidations that are made from now on fit no click that was erased";
    }

    private static void Write(Utf8JsonWriter json, Erasure one, QueryContext query)
    {
        json.WriteNumber("id", one.Number);
        json.WriteBoolean("dry_run", one.DryRun);
        json.WriteString("reason", one.Reason);
        json.WriteString("by", one.By);
        json.WriteString("state", State(one.State));
        json.WriteString("detail", one.Detail);
        json.WriteString("asked_at", Hours.Moment(one.AskedAt));
        json.WriteString("started_at", Hours.Moment(one.StartedAt));
        json.WriteString("ended_at", Hours.Moment(one.EndedAt));
        json.WriteNumber("chains", one.Chains);
        json.WriteNumber("chains_done", one.ChainsDone);
        json.WriteNumber("objects_read", one.ObjectsRead);
        json.WriteNumber("bytes_read", one.BytesRead);
        json.WriteNumber("objects", one.Objects);
        json.WriteNumber("clicks", one.Rows);
        json.WriteStartArray("rewritten");
        foreach (ErasedObject each in one.Found)
        {
            json.WriteStartObject();
            json.WriteString("key", each.Key);
            json.WriteNumber("chain", each.Chain);
            json.WriteNumber("clicks", each.Rows);
            AnswerFields.WriteNumber(json, "entry", each.After is null ? null : each.Entry);
            json.WriteString("sha256_before", each.Before);
            json.WriteString("sha256", each.After);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("invalidations");
        foreach (long number in one.Invalidations)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
        json.WriteStartArray("troubles");
        foreach (string trouble in one.Troubles)
        {
            json.WriteStringValue(trouble);
        }

        json.WriteEndArray();
        json.WriteString("copies_until", Hours.Moment(CopiesUntil(one, query)));
        json.WriteStartArray("notes");
        foreach (string note in one.DryRun ? [] : Notes(one, query))
        {
            json.WriteStringValue(note);
        }

        json.WriteEndArray();
    }

    private static string State(ErasureState state) => state == ErasureState.DoneInPart ? "done_in_part" : state.ToString().ToLowerInvariant();
}
