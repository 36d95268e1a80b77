using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Queries;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Ledger;

/// <summary>The routes of reconciliation: runs, the ledger, what is taken back, and closed months.</summary>
internal static class LedgerEndpoints
{
    /// <summary>What is read. A key with the scope read may: the live page shows it.</summary>
    public static void MapLedger(this IEndpointRouteBuilder app)
    {
        Get<RunList>(app, RunQueries.Route, "Runs of reconciliation, the latest first.", RunQueries.ListParameters, RunQueries.ListAsync, "text/csv");
        Get<RunAnswer>(app, RunQueries.Route + "/{id}", "How far a run is.", [], query => RunQueries.GetAsync(query, Id(query))).ProducesProblem(404);
        Get<CorrectionList>(app, RunQueries.Route + "/{id}/corrections", "What a run corrected. A page may be empty and yet have a next one.", CorrectionQueries.RunParameters,
            query => CorrectionQueries.OfRunAsync(query, Id(query)), "text/csv").ProducesProblem(404);
        Get<DifferenceAnswer>(app, RunQueries.Route + "/{id}/difference", "What a run changed of each target, or a dry run would change.", DifferenceQuery.Parameters,
            query => DifferenceQuery.OfRunAsync(query, Id(query)), "text/csv").ProducesProblem(404);
        Get<CorrectionList>(app, "/v1/ledger", "The ledger of an hour: each correction of each window in it.", CorrectionQueries.HourParameters, CorrectionQueries.OfHourAsync, "text/csv");
        Get<CorrectionList>(app, "/v1/clicks/total/ledger", "The ledger of all clicks together.", CorrectionQueries.SubjectParameters,
            query => CorrectionQueries.OfSubjectAsync(query, Subject.Total), "text/csv");
        foreach (TargetKind kind in TargetKinds.All)
        {
            Of(app, TargetKinds.Name(kind), TargetKinds.Plural(kind));
        }

        Of(app, "campaign", "campaigns");
        Get<PeriodList>(app, "/v1/periods", "Months that are closed, in order.", PeriodQueries.ListParameters, PeriodQueries.ListAsync, "text/csv");
        Get<PeriodDetails>(app, "/v1/periods/{month}", "A closed month: as it was closed, as it is now, and the difference, of all clicks or of one target or campaign.",
            PeriodQueries.Parameters, query => PeriodQueries.GetAsync(query, Value(query, "month"))).ProducesProblem(404);
    }

    /// <summary>What changes numbers that are final, and what names users: for the scope admin.</summary>
    public static void MapLedgerOrders(this IEndpointRouteBuilder app)
    {
        Order<RunAnswer>(app.MapPost(RunQueries.Route, QueryContext.HandleOrder([], RunQueries.StartAsync)), "Asks for a run over a range of hours; it begins once the one under way is done.")
            .WithMetadata(new OrderFields(RunQueries.Fields)).ProducesProblem(413).ProducesProblem(415).ProducesProblem(429);
        Order<InvalidationAnswer>(app.MapPost(InvalidationQueries.Route, QueryContext.HandleOrder([], InvalidationQueries.CreateAsync)),
            "Takes back the clicks that fit every condition (all of the range with \"all\": true alone), or with dry_run reports what that would change; they stay in the archive.")
            .WithMetadata(new OrderFields(InvalidationQueries.Fields)).ProducesProblem(413).ProducesProblem(415).ProducesProblem(429);
        Order<InvalidationAnswer>(app.MapDelete(InvalidationQueries.Route + "/{id}", QueryContext.HandleOrder([], query => InvalidationQueries.RevokeAsync(query, Id(query)))),
            "Ends an invalidation: its clicks count again.").WithMetadata(new QueryParameterList([])).ProducesProblem(404);
        Order<ErasureAnswer>(app.MapPost(ErasureQueries.Route, QueryContext.HandleOrder([], ErasureQueries.CreateAsync)),
            "Clears the personal fields (user_id, referrer, page_url) of one user's archived clicks; counts stay. With dry_run it only says which objects hold the user.")
            .WithMetadata(new OrderFields(ErasureQueries.Fields)).ProducesProblem(413).ProducesProblem(415).ProducesProblem(429);
        Get<ErasureList>(app, ErasureQueries.Route, "Erasures, the latest first.", ErasureQueries.ListParameters, ErasureQueries.ListAsync, "text/csv");
        Get<ErasureAnswer>(app, ErasureQueries.Route + "/{id}", "How far an erasure is, and what it rewrote.", [], query => ErasureQueries.GetAsync(query, Id(query))).ProducesProblem(404);
        Order<PeriodAnswer>(app.MapPost("/v1/periods/{month}/close", QueryContext.HandleOrder([], query => PeriodQueries.CloseAsync(query, Value(query, "month")))),
            "Freezes the version of a month (UTC) for billing; one that is closed stays as it was closed. 409 while an hour of it was in no run; clicks that came late and wait for theirs are its adjustment.", 200)
            .WithMetadata(new QueryParameterList([])).ProducesProblem(409);
        Get<InvalidationList>(app, InvalidationQueries.Route, "Invalidations, the latest first.", InvalidationQueries.ListParameters, InvalidationQueries.ListAsync, "text/csv");
        Get<InvalidationAnswer>(app, InvalidationQueries.Route + "/{id}", "An invalidation.", [], query => InvalidationQueries.GetAsync(query, Id(query))).ProducesProblem(404);
        Get<DifferenceAnswer>(app, InvalidationQueries.Route + "/{id}/difference", "What an invalidation changed of each target, or would change.", DifferenceQuery.Parameters,
            query => DifferenceQuery.OfInvalidationAsync(query, Id(query)), "text/csv").ProducesProblem(404);
    }

    private static void Of(IEndpointRouteBuilder app, string name, string plural) => Get<CorrectionList>(
        app, $"/v1/{plural}/{{id}}/ledger", $"The ledger of one {name}.", CorrectionQueries.SubjectParameters, query => CorrectionQueries.OfSubjectAsync(query, Subject.One(name, Id(query))), "text/csv");

    private static RouteHandlerBuilder Get<TAnswer>(
        IEndpointRouteBuilder app, string route, string summary, string[] parameters, Func<QueryContext, Task<IResult>> query, params string[] otherTypes) =>
        app.MapGet(route, QueryContext.Handle(parameters, query))
            .WithSummary(summary)
            .WithTags("ledger")
            .WithMetadata(new QueryParameterList(parameters))
            .Describe<TAnswer>(otherTypes);

    private static RouteHandlerBuilder Order<TAnswer>(RouteHandlerBuilder route, string summary, int status = StatusCodes.Status202Accepted) => route
        .WithSummary(summary)
        .WithTags("ledger")
        .Produces<TAnswer>(status, "application/json")
        .ProducesProblem(400)
        .ProducesProblem(503);

    private static string Id(QueryContext query) => Value(query, "id");

    private static string Value(QueryContext query, string name) => (string)query.Http.Request.RouteValues[name]!;
}

/// <summary>The fields of an order's body, for its description.</summary>
internal sealed record OrderFields(IReadOnlyList<BodyField> Fields);
