using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Queries;

/// <summary>The routes of the queries.</summary>
internal static class QueryEndpoints
{
    public static void MapQueries(this IEndpointRouteBuilder app)
    {
        Get<CountAnswer>(app, "/v1/clicks/total", "All clicks.", CountQueries.Parameters, query => CountQueries.AnswerAsync(query, Subject.Total));
        foreach (TargetKind kind in TargetKinds.All)
        {
            string name = TargetKinds.Name(kind);
            Map(app, name, TargetKinds.Plural(kind));
            Get<CountAnswer>(app, $"/v1/{TargetKinds.Plural(kind)}/clicks", $"All {TargetKinds.Plural(kind)} together.", CountQueries.Parameters,
                query => CountQueries.AnswerAsync(query, Subject.OfKind(name)));
        }

        Map(app, "campaign", "campaigns");
        string[] campaignParameters = [.. CountQueries.Parameters.Where(name => name != "group_by")];
        Get<CountAnswer>(app, "/v1/campaigns/clicks", "All clicks that belong to a campaign.", campaignParameters, query => CountQueries.AnswerAsync(query, Subject.Campaigns));
        GetJson<ClassicCountAnswer>(app, "/v1/ads/{id}/aggregated_count", "Clicks of one ad; by default in the last full minute.", ClassicQueries.AggregatedParameters,
            query => ClassicQueries.AggregatedCountAsync(query, "ad", Id(query)));
        Get<ClassicPopularAnswer>(app, "/v1/ads/popular_ads", "The most clicked ads of the last minutes.", ClassicQueries.PopularParameters,
            query => ClassicQueries.PopularAsync(query, "ad"));
        GetJson<StatusAnswer>(app, "/v1/status", "How far each partition and each source is.", [], StatusQuery.AnswerAsync);
    }

    private static void Map(IEndpointRouteBuilder app, string name, string plural)
    {
        Get<CountAnswer>(app, $"/v1/{plural}/{{id}}/clicks", $"One {name}.", CountQueries.Parameters, query => CountQueries.AnswerAsync(query, Subject.One(name, Id(query))));
        Get<ListAnswer>(app, $"/v1/{plural}", $"Every {name} clicked in the range, by id.", ListQueries.Parameters, query => ListQueries.ListAsync(query, name));
        Get<TopAnswer>(app, $"/v1/{plural}/top", $"The most clicked {plural}, as they are counted now: a ranking has no versions.", TopQueries.Parameters, query => TopQueries.AnswerAsync(query, name));
        app.MapPost($"/v1/{plural}/query", QueryContext.Handle(["format"], query => ListQueries.ManyAsync(query, name)))
            .WithSummary($"The answer of one {name} for each of many ids, at one common counted_until.")
            .WithTags("queries")
            .WithMetadata(new QueryParameterList(["format"], HasBody: true))
            .Describe<ManyAnswer>("text/csv")
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
    }

    private static void Get<TAnswer>(IEndpointRouteBuilder app, string route, string summary, string[] parameters, Func<QueryContext, Task<IResult>> query) =>
        Get(app, route, summary, parameters, query).Describe<TAnswer>("text/csv");

    private static void GetJson<TAnswer>(IEndpointRouteBuilder app, string route, string summary, string[] parameters, Func<QueryContext, Task<IResult>> query) =>
        Get(app, route, summary, parameters, query).Describe<TAnswer>();

    private static RouteHandlerBuilder Get(IEndpointRouteBuilder app, string route, string summary, string[] parameters, Func<QueryContext, Task<IResult>> query) =>
        app.MapGet(route, QueryContext.Handle(parameters, query))
            .WithSummary(summary)
            .WithTags("queries")
            .WithMetadata(new QueryParameterList(parameters));

    /// <summary>What a question answers, and how long it takes.</summary>
    public static RouteHandlerBuilder Describe<TAnswer>(this RouteHandlerBuilder route, params string[] otherTypes) => route
        .AddEndpointFilter(QueryInstruments.TimeAsync)
        .Produces<TAnswer>(StatusCodes.Status200OK, "application/json", otherTypes)
        .ProducesProblem(StatusCodes.Status400BadRequest)
        .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static string Id(QueryContext query) => (string)query.Http.Request.RouteValues["id"]!;
}

/// <summary>The query parameters of a route, for its documentation, and whether it takes a <see cref="QueryBody"/>.</summary>
internal sealed record QueryParameterList(string[] Names, bool HasBody = false);
