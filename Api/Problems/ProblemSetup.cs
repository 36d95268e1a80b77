using System.Text.Json;
using Microsoft.AspNetCore.Routing;

namespace ClickAggregator.Api.Problems;

/// <summary>Puts the one shape of errors into the program.</summary>
internal static class ProblemSetup
{
    public static void AddProblems(this WebApplicationBuilder builder)
    {
        builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        // else a body that cannot be bound is an empty 400
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    }

    public static void UseProblems(this WebApplication app) => app.UseMiddleware<ProblemMiddleware>();
}
