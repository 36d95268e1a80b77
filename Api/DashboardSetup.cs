using ClickAggregator.Api.Keys;
using Orleans.Dashboard;

namespace ClickAggregator.Api;

/// <summary>Puts Orleans' dashboard into the program.</summary>
internal static class DashboardSetup
{
    private const string Path = "/dashboard";

    /// <summary>
    /// At <c>/dashboard</c>, made when somebody first asks for it. To map it is to compress all its files, 17 MB of them: a third
    /// of a second of the processor, and their memory, at every start.
    /// </summary>
    public static void MapDashboard(this WebApplication app)
    {
        var dashboard = new Lazy<RequestDelegate>(() => Build(app.Services));
        RequestDelegate show = context => dashboard.Value(context);
        Guard(app.MapGet(Path + "/{**rest}", show));
    }

    private static RequestDelegate Build(IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        app.Use(next => context =>
        {
            context.SetEndpoint(null); // the route that led here; with one found, routing would look no further
            return next(context);
        });
        app.UseRouting();
        app.UseEndpoints(routes => Guard(routes.MapOrleansDashboard(Path)));
        return app.Build();
    }

    private static void Guard<TBuilder>(TBuilder routes)
        where TBuilder : IEndpointConventionBuilder => routes.Needs(KeyScope.Admin, asPassword: true);
}
