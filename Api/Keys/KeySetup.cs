using System.Globalization;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Health;
using ClickAggregator.Api.Problems;
using ClickAggregator.Api.Settings;
using ClickAggregator.Persistence.Cassandra;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Primitives;

namespace ClickAggregator.Api.Keys;

/// <summary>Puts keys into the program. Each route says which scope it needs; one that says nothing is for nobody.</summary>
internal static class KeySetup
{
    private static readonly StringValues s_bearerOrBasic = new(["Bearer", "Basic realm=\"Click Aggregator: the key is the password\", charset=\"UTF-8\""]);

    // A route that was forgotten is for nobody.
    private static readonly RequestFault s_noScope = new(403, "scope_missing", "This route names no scope, so nobody may call it.");

    /// <summary>What the commands say of it.</summary>
    public const string Where =
        "Keys are in keys.json of the data directory. Those of a cluster are in Cassandra: then give the command the server's settings of it, --Cassandra:ContactPoints=NODE and the others, and --Kafka:BootstrapServers.";

    /// <summary>Where the keys are: of the server, and of the commands beside it.</summary>
    /// <param name="settings">Those of both.</param>
    /// <param name="sessions">Connections, where keys are in Cassandra; nothing is connected before it is needed.</param>
    /// <param name="time">The clock.</param>
    public static IKeyStore StoreOf(ApiSettings settings, CassandraSessions sessions, TimeProvider time) =>
        settings.Cassandra?.Options() is { } cassandra
            ? new CassandraKeyStore(sessions.Get(cassandra), cassandra)
            : new FileKeyStore(settings.DataDirectory, time);

    /// <summary>What remembers the keys of a store that may be away; null for one that is not.</summary>
    public static KeyMemory? MemoryOf(ApiSettings settings) => settings.Cassandra is null ? null : new KeyMemory(settings.DataDirectory);

    public static void AddKeys(this WebApplicationBuilder builder, ApiSettings settings, IConfiguration configuration)
    {
        bool mayBeOpen = BindRule.Exposed(settings, configuration).Count == 0;
        builder.Services.TryAddSingleton<CassandraSessions>(); // shared with what looks for silos
        builder.Services.AddSingleton(services => StoreOf(
            settings, services.GetRequiredService<CassandraSessions>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(services => new KeyRing(
            services.GetRequiredService<IKeyStore>(), settings.Keys, mayBeOpen, services.GetRequiredService<ILogger<KeyRing>>(),
            MemoryOf(settings), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(services => new ReadinessCheck(
            "keys", ReadinessScope.Collecting, () => services.GetRequiredService<KeyRing>().Closed));
        builder.Services.AddSingleton<KeyGuard>();
        builder.Services.AddHostedService<KeyWatch>();
        builder.Services.KeepAddressesOut();
    }

    /// <summary>Reads the keys; nothing may listen before.</summary>
    public static Task OpenKeysAsync(this WebApplication app) => app.Services.GetRequiredService<KeyRing>().OpenAsync(CancellationToken.None);

    /// <summary>The routes behind it need a key with this scope.</summary>
    /// <param name="routes">One or many.</param>
    /// <param name="scope">The scope.</param>
    /// <param name="asPassword">A browser may ask for the key, as a password: for pages of others, which send no header.</param>
    public static TBuilder Needs<TBuilder>(this TBuilder routes, KeyScope scope, bool asPassword = false)
        where TBuilder : IEndpointConventionBuilder => routes.WithMetadata(new NeededScope(scope, asPassword));

    /// <summary>The routes behind it are for everybody.</summary>
    public static TBuilder NeedsNoKey<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder => routes.Needs(KeyScope.None);

    /// <summary>Behind routing, which finds the route and its scope, and before everything that reads a body.</summary>
    public static void UseKeys(this WebApplication app)
    {
        KeyGuard guard = app.Services.GetRequiredService<KeyGuard>();
        CollectInstruments instruments = app.Services.GetRequiredService<CollectInstruments>();
        app.Use(next => context =>
        {
            // No route, or an answer of routing itself: 404, 405. There is nothing to be had.
            if (context.GetEndpoint() is not RouteEndpoint route)
            {
                return next(context);
            }

            NeededScope? needed = route.Metadata.GetMetadata<NeededScope>();
            if (needed is null)
            {
                return RefuseAsync(context, s_noScope);
            }

            if (guard.Check(context, needed) is not { } fault)
            {
                return next(context);
            }

            if (needed.Scope == KeyScope.Ingest)
            {
                instruments.Rejected(fault.Code);
            }

            return RefuseAsync(context, fault, needed.AsPassword);
        });
    }

    /// <summary>Answers a request that may not.</summary>
    public static Task RefuseAsync(HttpContext context, RequestFault fault, bool asPassword = false)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        if (fault.Status == StatusCodes.Status401Unauthorized)
        {
            headers.WWWAuthenticate = asPassword ? s_bearerOrBasic : "Bearer";
        }

        if (fault.RetryAfter is { } seconds)
        {
            headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (context.Request.ContentLength is null or > 0 && !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            headers.Connection = "close"; // a stranger's body is not read, not even to be thrown away
        }

        return ApiProblem.Result(fault.Status, fault.Code, fault.Detail).ExecuteAsync(context);
    }
}

/// <summary>Which scope a route needs.</summary>
internal sealed record NeededScope(KeyScope Scope, bool AsPassword = false)
{
    public static NeededScope Ingest { get; } = new(KeyScope.Ingest);
}
