using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Problems;
using ClickAggregator.Api.Settings;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace ClickAggregator.Api.Hosts;

/// <summary>Where and how the program listens, and to whom it answers.</summary>
internal static class HostSetup
{
    // A body that fell below its least rate from the start is told so after this.
    private static readonly TimeSpan RateGrace = TimeSpan.FromSeconds(5);

    public static void AddListening(this WebApplicationBuilder builder, ApiSettings settings)
    {
        LimitSettings limits = settings.Limits;
        builder.WebHost.UseUrls(settings.Urls);
        builder.Services.AddHostedService<AddressCheck>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = limits.Connections;
            kestrel.Limits.RequestHeadersTimeout = limits.HeaderTimeout;
            kestrel.Limits.MinRequestBodyDataRate = new(limits.BodyRate, RateGrace);
            // Bodies are counted by who reads them. Kestrel also counts the frames of a chunked body, so its own limit, for
            // all other routes and for compressed bytes, stands above.
            kestrel.Limits.MaxRequestBodySize = (2L * limits.BodyBytes) + (64 << 10);
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = settings.ShutdownTimeout);
        builder.Services.AddCors();
        builder.Services.AddSingleton<ICorsPolicyProvider, OriginPolicies>();
    }

    /// <summary>First of all: refuses the Host header of another site.</summary>
    public static void UseHostFilter(this WebApplication app)
    {
        KeyGuard guard = app.Services.GetRequiredService<KeyGuard>();
        app.Use(next => context =>
        {
            // With keys a page elsewhere would need one, and the server may have any name.
            if (!guard.IsOpen || HostRule.IsAllowed(context.Request.Host.Value))
            {
                return next(context);
            }

            context.Response.Headers.CacheControl = "no-store";
            context.Response.Headers.Connection = "close";
            return ApiProblem.Result(421, "host_not_allowed",
                "While there is no key, only requests to localhost, 127.0.0.1 and [::1] are answered, so that a page elsewhere cannot read these counts.")
                .ExecuteAsync(context);
        });
    }

    /// <summary>Answers change every second, and nobody may keep them.</summary>
    public static void UseSafeHeaders(this WebApplication app) => app.Use(next => context =>
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return next(context);
    });
}
