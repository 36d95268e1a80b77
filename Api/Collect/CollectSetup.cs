using ClickAggregator.Api.Health;
using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Problems;
using ClickAggregator.Api.Settings;
using ClickAggregator.Api.Ship;
using ClickAggregator.ClickLog;

namespace ClickAggregator.Api.Collect;

/// <summary>Puts collecting into the program.</summary>
internal static class CollectSetup
{
    /// <summary>Where clicks are posted to.</summary>
    public const string Route = "/v1/clicks";

    public static void AddCollecting(this WebApplicationBuilder builder, ApiSettings settings)
    {
        // Else .NET takes a gzip body that ends before its checksum for a whole one, and a cut body would be kept.
        AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);
        IServiceCollection services = builder.Services;
        services.AddSingleton<OpenLog>();
        services.AddSingleton(provider => provider.GetRequiredService<OpenLog>().Log);
        services.AddSingleton(settings.Limits);
        services.AddSingleton<AdmissionGate>();
        services.AddSingleton<CollectInstruments>();
        if (settings.Kafka is { AcknowledgeAfterKafka: true })
        {
            services.AddSingleton<KafkaClickAppender>();
            services.AddSingleton<ClickAppender>(provider => provider.GetRequiredService<KafkaClickAppender>());
            services.AddSingleton(provider => new ReadinessCheck("kafka", ReadinessScope.Collecting, () => provider.GetRequiredService<KafkaClickAppender>().Fault));
        }
        else
        {
            services.AddSingleton<ClickAppender>();
        }

        services.AddSingleton<CollectHandler>();
        services.AddSingleton(provider => new IntakePool(() => new ClickIntake(
            new ClickBatch(provider.GetRequiredService<PartitionedClickLog>().Partitions), provider.GetRequiredService<AdmissionGate>(), settings.Limits, provider.GetRequiredService<CollectInstruments>())));
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<LogFailureWatch>(
            provider, provider.GetRequiredService<PartitionedClickLog>().Failed));
    }

    /// <summary>Opens the click log; whoever asks the container for it before this gets an exception.</summary>
    public static Task OpenClickLogAsync(this WebApplication app, ApiSettings settings) =>
        app.Services.GetRequiredService<OpenLog>().OpenAsync(
            settings, app.Services.GetRequiredService<TimeProvider>(), app.Services.GetRequiredService<ILoggerFactory>());

    /// <summary>
    /// Posts of clicks are answered before routing and every other middleware but the host filter: at 20,000 single clicks
    /// a second those cost more than the click. A page of another origin takes the long way, past CORS. Here as there the key
    /// comes first.
    /// </summary>
    public static void UseCollecting(this WebApplication app)
    {
        CollectHandler handler = app.Services.GetRequiredService<CollectHandler>();
        CollectInstruments instruments = app.Services.GetRequiredService<CollectInstruments>();
        KeyGuard guard = app.Services.GetRequiredService<KeyGuard>();
        app.Use(next => context =>
        {
            if (context.Request.Path.Value != Route || !HttpMethods.IsPost(context.Request.Method)
                || context.Request.QueryString.HasValue || context.Request.Headers.ContainsKey("Origin"))
            {
                return next(context);
            }

            if (guard.Check(context, NeededScope.Ingest) is not { } fault)
            {
                return handler.HandleAsync(context);
            }

            instruments.Rejected(fault.Code);
            return KeySetup.RefuseAsync(context, fault);
        });
    }

    /// <summary>The same as an endpoint: for OpenAPI, for CORS and for its 405.</summary>
    public static void MapCollecting(this IEndpointRouteBuilder app)
    {
        CollectHandler handler = app.ServiceProvider.GetRequiredService<CollectHandler>();
        app.MapPost(Route, async Task<IResult> (HttpContext context) =>
        {
            bool fromPage = context.Features.Get<PublicCaller>() is not null;
            if (UnknownParameters.Refuse(context.Request, fromPage && context.Request.Headers.Authorization.Count == 0 ? [KeyGuard.Parameter] : []) is { } refused)
            {
                return refused;
            }

            await handler.HandleAsync(context, fromPage);
            return Results.Empty;
        })
            .WithName("PostClicks")
            .WithSummary("Stores clicks: one object, an array, or NDJSON; optionally gzip. 202 once they are on disk.")
            .DescribeCollecting()
            .Produces<CollectAnswer>(StatusCodes.Status202Accepted)
            .ProducesProblem(400).ProducesProblem(408).ProducesProblem(413).ProducesProblem(415).ProducesProblem(422).ProducesProblem(503);
    }
}
