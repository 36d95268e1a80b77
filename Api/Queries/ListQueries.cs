using System.Text.Json;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>Every target of a kind (or campaign) clicked in a range, and many targets in one call.</summary>
internal static class ListQueries
{
    private const int MaxIds = 1000;

    public static readonly string[] Parameters = [.. QueryRange.Names.Where(name => name != "granularity"), .. QueryFilter.Names.Where(name => name != "group_by"), "limit", "cursor", "format"];

    public static async Task<IResult> ListAsync(QueryContext query, string kind)
    {
        var range = QueryRange.Read(query.Value, query.Now);
        var filter = QueryFilter.Read(query.Value);
        RollupBase of = kind == "campaign" ? RollupBase.Campaign : RollupBase.Target;
        filter.Require(query.Rollups, of);
        QueryFilter.None.Require(query.Rollups, of);
        int limit = query.Limit("limit", 100, 1000);
        string prefix = kind + ":";
        string? cursor = query.Value("cursor");
        if (cursor is not null && !IdRules.IsId(cursor))
        {
            throw new QueryFaultException("invalid_parameter", "cursor", "'cursor' is the next_cursor of an answer");
        }

        IReadOnlyList<string> listed = await query.Series.ListAsync(
            new SeriesList(prefix, range.From, range.To, cursor is null ? null : prefix + cursor, limit), query.Cancelled);
        SeriesSums sums = await query.Series.SumAsync(new SeriesRange([.. listed.Select(series => series + filter.Suffix)], range.From, range.To), query.Cancelled);
        (string Id, long Clicks)[] items = [.. sums.Counts
            .Select(count => (Id: count.Series[prefix.Length..^filter.Suffix.Length], count.Clicks))
            .Where(item => item.Clicks > 0)];
        string? next = listed.Count < limit ? null : listed[^1][prefix.Length..];
        if (query.WantsCsv)
        {
            if (next is not null)
            {
                query.Http.Response.Headers["X-Next-Cursor"] = next;
            }

            return Answer.Csv([kind + "_id", "clicks"], items.Select(item => (string[])[item.Id, CountQueries.Number(item.Clicks)]));
        }

        IReadOnlyDictionary<string, string> urls = kind == "page"
            ? await query.Series.PageUrlsAsync([.. items.Select(item => item.Id)])
            : new Dictionary<string, string>();
        return Answer.Json(json =>
        {
            AnswerFields.WriteRange(json, range, sums);
            json.WriteStartArray("items");
            foreach ((string id, long clicks) in items)
            {
                json.WriteStartObject();
                json.WriteString("id", id);
                json.WriteNumber("clicks", clicks);
                if (urls.TryGetValue(id, out string? url))
                {
                    json.WriteString("page_url", url);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("next_cursor", next);
            AnswerFields.WriteProgress(json, query, range, sums);
        });
    }

    /// <summary>The answer of one target for each of many ids, all counted until the same moment.</summary>
    public static async Task<IResult> ManyAsync(QueryContext query, string kind)
    {
        (IReadOnlyList<string> ids, Dictionary<string, string> values) = await ReadBodyAsync(query);
        string? Value(string name) => values.GetValueOrDefault(name);
        var range = QueryRange.Read(Value, query.Now);
        var filter = QueryFilter.Read(Value);
        Subject[] subjects = [.. ids.Select(id => Subject.One(kind, id))];
        filter.Require(query.Rollups, kind == "campaign" ? RollupBase.Campaign : RollupBase.Target);
        if (range.Bounds is not null && (range.Bounds.Length - 1) * (long)ids.Count > QueryRange.MaxPoints)
        {
            throw new QueryFaultException(
                "range_too_large", "granularity", $"an answer has at most {QueryRange.MaxPoints:N0} points, all ids together; this one would have {(range.Bounds.Length - 1) * (long)ids.Count:N0}");
        }

        SeriesSums sums = await CountQueries.SumAsync(query, range, [.. subjects.Select(subject => subject.Series + filter.Suffix)]);
        return Answer.Json(json =>
        {
            AnswerFields.WriteRange(json, range, sums);
            AnswerFields.WriteProgress(json, query, range, sums);
            json.WriteStartArray("items");
            for (int n = 0; n < subjects.Length; n++)
            {
                json.WriteStartObject();
                CountQueries.WriteCount(json, query, range, filter, subjects[n], sums, sums.Counts[n].Clicks, sums.Counts[n].Points);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static async Task<(IReadOnlyList<string> Ids, Dictionary<string, string> Values)> ReadBodyAsync(QueryContext query)
    {
        const int maxBytes = 256 * 1024;
        if (query.Http.Request.ContentLength > maxBytes)
        {
            throw new QueryFaultException("invalid_parameter", null, "the body of a query is at most 256 KiB");
        }

        try
        {
            using var limited = new MemoryStream();
            byte[] buffer = new byte[16 * 1024];
            int got;
            while ((got = await query.Http.Request.Body.ReadAsync(buffer, query.Cancelled)) > 0)
            {
                limited.Write(buffer, 0, got);
                if (limited.Length > maxBytes)
                {
                    throw new QueryFaultException("invalid_parameter", null, "the body of a query is at most 256 KiB");
                }
            }

            using var json = JsonDocument.Parse(limited.GetBuffer().AsMemory(0, (int)limited.Length));
            var ids = new List<string>();
            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new QueryFaultException("malformed_json", null, "the body is a JSON object such as {\"ids\":[\"a-42\"],\"last\":\"20m\"}");
            }

            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name == "ids" && property.Value.ValueKind == JsonValueKind.Array)
                {
                    ids.AddRange(property.Value.EnumerateArray().Select(id => id.ValueKind == JsonValueKind.String
                        ? id.GetString()!
                        : throw new QueryFaultException("invalid_parameter", "ids", "'ids' is an array of strings")));
                }
                else if (QueryRange.Names.Contains(property.Name) || (QueryFilter.Names.Contains(property.Name) && property.Name != "group_by"))
                {
                    values[property.Name] = property.Value.ValueKind == JsonValueKind.String
                        ? property.Value.GetString()!
                        : throw new QueryFaultException("invalid_parameter", property.Name, $"'{property.Name}' is a string");
                }
                else
                {
                    throw new QueryFaultException("unknown_parameter", property.Name, $"'{property.Name}' is not known; known are ids, {string.Join(", ", QueryRange.Names)}, country, device");
                }
            }

            return ids.Count is >= 1 and <= MaxIds
                ? (ids, values)
                : throw new QueryFaultException("invalid_parameter", "ids", $"'ids' holds 1 to {MaxIds} ids");
        }
        catch (JsonException error)
        {
            throw new QueryFaultException("malformed_json", null, "the body is not valid JSON: " + error.Message);
        }
    }
}
