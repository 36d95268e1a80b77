using System.Text.Json;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>The two forms known from system design interviews.</summary>
internal static class ClassicQueries
{
    public static readonly string[] AggregatedParameters = ["from", "to", "filter"];

    public static readonly string[] PopularParameters = ["count", "window", "filter", "format"];

    /// <summary>Clicks of one ad; by default in the last full minute.</summary>
    public static async Task<IResult> AggregatedCountAsync(QueryContext query, string kind, string id)
    {
        var subject = Subject.One(kind, id);
        var filter = QueryFilter.ReadClassic(query.Value("filter"));
        long thisMinute = query.Now.ToUnixTimeSeconds() / 60;
        QueryRange range = query.Value("from") is null && query.Value("to") is null
            ? new QueryRange(thisMinute - 1, thisMinute, TimeZoneInfo.Utc, null)
            : QueryRange.Read(query.Value, query.Now, query.Limits);
        await filter.RequireAsync(query, subject.Base, range);
        SeriesSums sums = await query.Series.SumAsync(new SeriesRange([subject.Series + filter.Suffix], range.From, range.To), query.Cancelled);
        return Answer.Json(json =>
        {
            json.WriteString(kind + "_id", id);
            json.WriteNumber("count", sums.Counts[0].Clicks);
            AnswerFields.WriteRange(json, range, sums);
            AnswerFields.WriteProgress(json, query, range, sums);
        });
    }

    /// <summary>The most clicked ads of the last so many minutes.</summary>
    public static async Task<IResult> PopularAsync(QueryContext query, string kind)
    {
        int count = query.Limit("count", 100, 1000);
        int window = query.Limit("window", 1, (int)query.Limits.Range.TotalMinutes);
        var filter = QueryFilter.ReadClassic(query.Value("filter"));
        long to = (query.Now.ToUnixTimeSeconds() / 60) + 1;
        var range = new QueryRange(to - window, to, TimeZoneInfo.Utc, null);
        TopTargets top = await TopQueries.RankAsync(query, kind, range, filter, count);
        if (query.WantsCsv)
        {
            return TopQueries.Csv(query, kind, range, top, await ShownUrls.OfAsync(query, kind, top.Items.Select(item => item.Id)));
        }

        return Answer.Json(json =>
        {
            json.WriteStartArray(kind + "_ids");
            foreach (RankedTarget item in top.Items)
            {
                json.WriteStringValue(item.Id);
            }

            json.WriteEndArray();
            json.WriteBoolean("exact", top.Exact);
            AnswerFields.WriteRange(json, range, top.Sums);
            AnswerFields.WriteProgress(json, query, range, top.Sums);
        });
    }
}
