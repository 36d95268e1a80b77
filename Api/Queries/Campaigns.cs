using System.Runtime.CompilerServices;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>All campaigns of a range. They live in every partition and no list ranks them: all of them are summed.</summary>
internal static class Campaigns
{
    public const string Prefix = "campaign:";
    private const int PageSize = 1000;
    private const int Max = 100_000;

    /// <summary>Clicks that belong to a campaign, as one count.</summary>
    public static async Task<SeriesSums> SumAsync(QueryContext query, QueryRange range, QueryFilter filter, long? version)
    {
        await CountQueries.RequireMinutesAsync(query, range);
        SeriesSums? all = null;
        long clicks = 0;
        long[]? points = range.Bounds is null ? null : new long[range.Bounds.Length - 1];
        bool incomplete = false;
        await foreach (SeriesSums page in PagesAsync(query, range, filter, range.Bounds?[..^1], version))
        {
            // What is counted only grows: what the first page says of it is true of all. What is final has to be so of each.
            all = all is null ? page : all with { Finality = Finality.Both(all.Finality, page.Finality) };
            incomplete |= page.Incomplete;
            foreach (SeriesCount count in page.Counts)
            {
                clicks += count.Clicks;
                for (int n = 0; n < points?.Length; n++)
                {
                    points[n] += count.Points![n];
                }
            }
        }

        return all! with { Counts = [new SeriesCount(Prefix, clicks, points)], Incomplete = incomplete };
    }

    /// <summary>The counts of every campaign, in pages; at least one, which may be empty.</summary>
    /// <exception cref="QueryFaultException">They are too many.</exception>
    public static async IAsyncEnumerable<SeriesSums> PagesAsync(
        QueryContext query, QueryRange range, QueryFilter filter, long[]? edges = null, long? version = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(query.Cancelled, cancellationToken);

        // So that a page of counts by point is not larger than one answer may be.
        int size = edges is null ? PageSize : Math.Clamp(query.Limits.Points / edges.Length, 1, PageSize);
        string? after = null;
        int listedInAll = 0;
        do
        {
            IReadOnlyList<string> listed = await query.Series.ListAsync(new SeriesList(Prefix, range.From, range.To, after, size), linked.Token);
            yield return await query.Series.SumAsync(
                new SeriesRange([.. listed.Select(series => series + filter.Suffix)], range.From, range.To, edges, version), linked.Token);
            listedInAll += listed.Count;
            after = listed.Count == size ? listed[^1] : null;
            if (after is not null && listedInAll >= Max)
            {
                throw new QueryFaultException("range_too_large", null, $"more than {Max:N0} campaigns were clicked in this range; take a shorter one");
            }
        }
        while (after is not null);
    }
}
