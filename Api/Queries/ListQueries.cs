using System.Text.Json;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>Every target of a kind (or campaign) clicked in a range, and many targets in one call.</summary>
internal static class ListQueries
{
    public static readonly string[] Parameters = [.. QueryRange.Names.Where(name => name != "granularity"), .. QueryFilter.Names.Where(name => name != "group_by"), "limit", "cursor", "format"];

    public static async Task<IResult> ListAsync(QueryContext query, string kind)
    {
        var range = QueryRange.Read(query.Value, query.Now, query.Limits);
        var filter = QueryFilter.Read(query.Value);
        RollupBase of = kind == "campaign" ? RollupBase.Campaign : RollupBase.Target;
        await filter.RequireAsync(query, of, range);
        await QueryFilter.None.RequireAsync(query, of, range);
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
        var urls = await ShownUrls.OfAsync(query, kind, items.Select(item => item.Id));
        if (query.WantsCsv)
        {
            if (next is not null)
            {
                query.Http.Response.Headers[AnswerHeaders.NextCursor] = next;
            }

            return Answer.Csv(query, range, sums, urls.Header(kind + "_id", "clicks"),
                items.Select(item => urls.Row(item.Id, item.Id, CountQueries.Number(item.Clicks))));
        }

        return Answer.Json(json =>
        {
            AnswerFields.WriteRange(json, range, sums);
            json.WriteStartArray("items");
            foreach ((string id, long clicks) in items)
            {
                json.WriteStartObject();
                json.WriteString("id", id);
                json.WriteNumber("clicks", clicks);
                urls.Write(json, id);
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
        (IReadOnlyList<string> ids, Dictionary<string, string> values) = await QueryBody.ReadAsync(query);
        string? Value(string name) => values.GetValueOrDefault(name);
        var range = QueryRange.Read(Value, query.Now, query.Limits);
        var filter = QueryFilter.Read(Value);
        Subject[] subjects = [.. ids.Select((id, n) => IdRules.IsId(id) ? Subject.One(kind, id) : throw new QueryFaultException("invalid_parameter", "ids", Subject.IdRule) { Index = n })];
        long? version = Finality.ReadVersion(Value);
        await filter.RequireAsync(query, kind == "campaign" ? RollupBase.Campaign : RollupBase.Target, range, version);
        if (range.Bounds is not null && (range.Bounds.Length - 1) * (long)ids.Count is long points && points > query.Limits.Points)
        {
            throw QueryRange.TooManyPoints(points, query.Limits);
        }

        SeriesSums sums = await CountQueries.SumAsync(query, range, [.. subjects.Select(subject => subject.Series + filter.Suffix)], version);
        var urls = await ShownUrls.OfAsync(query, kind, ids);
        if (query.WantsCsv)
        {
            return range.Bounds is null
                ? Answer.Csv(query, range, sums, urls.Header(kind + "_id", "clicks"),
                    subjects.Select((subject, n) => urls.Row(subject.Id!, subject.Id!, CountQueries.Number(sums.Counts[n].Clicks))))
                : Answer.Csv(query, range, sums, urls.Header(kind + "_id", "start", "clicks", "final"), subjects.SelectMany((subject, n) =>
                    CountQueries.PointRows(range, sums, sums.Counts[n].Points!).Select(row => urls.Row(subject.Id!, [subject.Id!, .. row]))));
        }

        return Answer.Json(json =>
        {
            AnswerFields.WriteRange(json, range, sums);
            AnswerFields.WriteProgress(json, query, range, sums);
            json.WriteStartArray("items");
            for (int n = 0; n < subjects.Length; n++)
            {
                json.WriteStartObject();
                CountQueries.WriteCount(json, query, range, filter, subjects[n], sums, sums.Counts[n].Clicks, sums.Counts[n].Points);
                urls.Write(json, subjects[n].Id!);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }
}
