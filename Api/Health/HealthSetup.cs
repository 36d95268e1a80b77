using System.Text.Json.Serialization;
using ClickAggregator.ClickLog;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;

namespace ClickAggregator.Api.Health;

/// <summary>Whether the process lives and does its job, and its metrics.</summary>
internal static class HealthSetup
{
    public static void AddHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(provider => new ReadinessCheck("process", ReadinessScope.Collecting, () =>
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested ? "stopping" : null));
        builder.Services.AddSingleton(provider => new ReadinessCheck("click log", ReadinessScope.Collecting, () =>
            provider.GetRequiredService<PartitionedClickLog>().Failed.IsCompleted ? "failed" : null));
        builder.Services.AddSingleton<CountedLog>();
        builder.Services.AddSingleton<ProgressInstruments>();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("ClickAggregator*")
            .AddMeter("System.Runtime")
            .AddPrometheusExporter());
    }

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.ServiceProvider.GetRequiredService<ProgressInstruments>(); // nobody else asks for it: its gauges are read by the exporter
        Map(app, "/health/live", "Whether the process lives.", () => Results.Json(new HealthAnswer("live", []), HealthJson.Default.HealthAnswer));
        Map(app, "/health/ready", "Whether this process accepts clicks.", (IEnumerable<ReadinessCheck> checks) => Ready(checks, ReadinessScope.Collecting))
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
        Map(app, "/health/ready/query", "Whether it also answers queries.", (IEnumerable<ReadinessCheck> checks) => Ready(checks, ReadinessScope.Queries))
            .Produces<HealthAnswer>(StatusCodes.Status503ServiceUnavailable);
    }

    // Probes also ask by HEAD.
    private static RouteHandlerBuilder Map(IEndpointRouteBuilder app, string route, string summary, Delegate answer) => app
        .MapMethods(route, [HttpMethods.Get, HttpMethods.Head], answer)
        .WithSummary(summary)
        .WithTags("health")
        .Produces<HealthAnswer>();

    private static IResult Ready(IEnumerable<ReadinessCheck> checks, ReadinessScope scope)
    {
        var faults = new List<HealthFault>();
        bool any = false;
        foreach (ReadinessCheck check in checks)
        {
            // whoever cannot even collect is not ready for queries either: it is stopping
            if (check.Scope > scope)
            {
                continue;
            }

            any |= check.Scope == scope;
            if (check.Fault() is { } fault)
            {
                faults.Add(new HealthFault(check.Name, fault));
            }
        }

        if (!any)
        {
            faults.Add(new HealthFault(scope.ToString(), "nothing in this process does that"));
        }

        return Results.Json(new HealthAnswer(faults.Count == 0 ? "ready" : "not_ready", faults), HealthJson.Default.HealthAnswer,
            statusCode: faults.Count == 0 ? 200 : 503);
    }
}

/// <summary>Why it is not ready.</summary>
internal sealed record HealthFault(string Name, string Reason);

/// <summary>The body of every health answer.</summary>
internal sealed record HealthAnswer(string Status, IReadOnlyList<HealthFault> Faults);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthAnswer))]
internal sealed partial class HealthJson : JsonSerializerContext;
