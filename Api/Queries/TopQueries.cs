using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>The most clicked.</summary>
internal static class TopQueries
{
    public static readonly string[] Parameters = [.. QueryRange.Names.Where(name => name != "granularity"), .. QueryFilter.Names.Where(name => name != "group_by"), "limit", "format"];

    /// <summary>A ranking as a table.</summary>
    public static IResult Csv(QueryContext query, string kind, QueryRange range, TopTargets top, ShownUrls urls)
    {
        AnswerHeaders.WriteExactness(query.Http.Response.Headers, top);
        return Answer.Csv(query, range, top.Sums, urls.Header("rank", kind + "_id", "clicks"),
            top.Items.Select((item, n) => urls.Row(item.Id, CountQueries.Number(n + 1), item.Id, CountQueries.Number(item.Clicks))));
    }

    public static async Task<IResult> AnswerAsync(QueryContext query, string kind)
    {
        var range = QueryRange.Read(query.Value, query.Now, query.Limits);
        var filter = QueryFilter.Read(query.Value);
        TopTargets top = await RankAsync(query, kind, range, filter, query.Limit("limit", 100, 1000));
        var urls = await ShownUrls.OfAsync(query, kind, top.Items.Select(item => item.Id));
        if (query.WantsCsv)
        {
            return Csv(query, kind, range, top, urls);
        }

        return Answer.Json(json =>
        {
            AnswerFields.WriteRange(json, range, top.Sums);
            json.WriteStartArray("items");
            for (int n = 0; n < top.Items.Count; n++)
            {
                json.WriteStartObject();
                json.WriteNumber("rank", n + 1);
                json.WriteString("id", top.Items[n].Id);
                json.WriteNumber("clicks", top.Items[n].Clicks);
                urls.Write(json, top.Items[n].Id);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteBoolean("exact", top.Exact);
            json.WriteNumber("error_bound", top.ErrorBound);
            AnswerFields.WriteProgress(json, query, range, top.Sums);
        });
    }

    public static async Task<TopTargets> RankAsync(QueryContext query, string kind, QueryRange range, QueryFilter filter, int limit)
    {
        if (kind == "campaign")
        {
            await filter.RequireAsync(query, RollupBase.Campaign, range);
            return await CampaignsAsync(query, range, filter, limit);
        }

        await filter.RequireAsync(query, RollupBase.Target, range);
        await QueryFilter.None.RequireAsync(query, RollupBase.Target, range);
        return TargetKinds.TryParseName(kind, out TargetKind parsed)
            ? await query.Series.TopAsync(new TopQuestion(parsed, range.From, range.To, limit, filter.Suffix), query.Cancelled)
            : throw new InvalidOperationException($"'{kind}' is not a kind");
    }

    private static async Task<TopTargets> CampaignsAsync(QueryContext query, QueryRange range, QueryFilter filter, int limit)
    {
        var all = new List<RankedTarget>();
        SeriesSums? first = null;
        bool incomplete = false;
        await foreach (SeriesSums page in Campaigns.PagesAsync(query, range, filter))
        {
            first = first is null ? page : first with { Finality = Finality.Both(first.Finality, page.Finality) };
            incomplete |= page.Incomplete;
            all.AddRange(page.Counts.Where(count => count.Clicks > 0)
                .Select(count => new RankedTarget(count.Series[Campaigns.Prefix.Length..^filter.Suffix.Length], count.Clicks)));
        }

        return new TopTargets(
            [.. all.OrderByDescending(item => item.Clicks).ThenBy(item => item.Id, StringComparer.Ordinal).Take(limit)],
            true, 0, first! with { Counts = [], Incomplete = incomplete });
    }
}
