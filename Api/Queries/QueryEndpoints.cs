using System.Globalization;
using ClickAggregator.Api.Problems;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Progress;
using ClickAggregator.Grains.Query;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Api.Queries;

/// <summary>The calls that answer with counts.</summary>
internal static class QueryEndpoints
{
    /// <summary>Maps them; takes <see cref="ICountReader"/>, <see cref="ProgressBoard"/> and the clock from the services.</summary>
    public static IEndpointRouteBuilder MapQueries(this IEndpointRouteBuilder routes)
    {
        Map(routes, "/v1/clicks/total", _ => SeriesName.Total, "all");
        foreach (TargetKind kind in TargetKinds.All)
        {
            string plural = TargetKinds.Plural(kind);
            Map(routes, $"/v1/{plural}/clicks", _ => SeriesName.OfKind(kind), TargetKinds.Name(kind));
            Map(routes, $"/v1/{plural}/{{id}}/clicks", id => SeriesName.OfTarget(kind, id!), TargetKinds.Name(kind));
        }

        Map(routes, "/v1/campaigns/{id}/clicks", id => SeriesName.OfCampaign(id!), "campaign");
        routes.MapGet("/v1/status", (ProgressBoard board) => Results.Json(new
        {
            partitions = board.Snapshot().Select(p => new
            {
                partition = p.Partition, state = p.State.ToString().ToLowerInvariant(), next = p.Next, end = p.End,
                lag = Math.Max(0, p.End - p.Next), detail = p.Detail,
            }),
        }));
        return routes;
    }

    private static void Map(IEndpointRouteBuilder routes, string route, Func<string?, SeriesName> series, string kind) =>
        routes.MapGet(route, async (HttpContext context, ICountReader reader, ProgressBoard board, TimeProvider time, CancellationToken stop) =>
        {
            string? id = context.Request.RouteValues["id"] as string;
            if (id is not null && !IdRules.IsId(id))
            {
                return ApiProblem.Result(400, "invalid_parameter", "the id is not 1-128 characters of A-Z a-z 0-9 . _ ~ : -");
            }

            (QueryParameters? asked, IResult? fault) = QueryParameters.Read(context.Request.Query, time);
            return asked is null ? fault! : await AnswerAsync(asked, series(id), kind, id, reader, board, time, stop);
        });

    private static async Task<IResult> AnswerAsync(
        QueryParameters asked, SeriesName series, string kind, string? id,
        ICountReader reader, ProgressBoard board, TimeProvider time, CancellationToken stop)
    {
        // Before the rows: what is counted up to then must be in them.
        IReadOnlyList<PartitionProgress> progress = board.Snapshot();
        long? countedUntil = progress.Count == 0 ? null : progress.Min(p => p.CountedUntil);
        int? floor = await reader.ReadMinutesFloorAsync(stop);
        if (asked.Granularity == Granularity.Minute && floor is int hour && asked.From < hour * 60L)
        {
            return ApiProblem.Result(400, "granularity_unavailable",
                $"minutes are kept from {Show(hour * 60L, asked.Zone)}; ask for hours, or a later range");
        }

        (long from, long to) = RangeCounter.Align(asked.From, asked.To, floor);
        long[] bounds = asked.Granularity is { } size ? RangeBounds.Of(from, to, size, asked.Zone) : [from, to];
        string name = series.ToString();
        SeriesCounts counts = (await RangeCounter.CountAsync(reader, [name], bounds, stop))[name];
        return Results.Json(new
        {
            of = new { kind, id }, filter = new { },
            from = Show(from, asked.Zone), to = Show(to, asked.Zone), timezone = asked.Zone.Id,
            granularity = asked.Granularity?.ToString().ToLowerInvariant(),
            clicks = counts.Clicks, invalidated = (long?)null,
            points = asked.Granularity is null
                ? null : counts.Points.Select((clicks, i) => new { start = Show(bounds[i], asked.Zone), clicks, final = (bool?)null }),
            incomplete = counts.Incomplete,
            counted_until = countedUntil is long ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : (DateTimeOffset?)null,
            lag_seconds = countedUntil is long at ? Math.Max(0, (time.GetUtcNow().ToUnixTimeMilliseconds() - at) / 1000.0) : (double?)null,
            sources_stale = (int?)null, final_until = (string?)null, version = (long?)null,
        });
    }

    private static string Show(long minute, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(DateTimeOffset.UnixEpoch.AddMinutes(minute), zone)
            .ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
}
