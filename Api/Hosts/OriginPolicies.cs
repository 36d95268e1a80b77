using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Queries;
using ClickAggregator.Api.Settings;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace ClickAggregator.Api.Hosts;

/// <summary>
/// Which origins' pages may call: those of <c>Cors:Origins</c> everything that their key allows, and those of public keys the
/// route that takes clicks. Without any there is no policy, and no CORS header is ever sent.
/// </summary>
internal sealed class OriginPolicies(ApiSettings settings, KeyRing ring) : ICorsPolicyProvider
{
    private readonly CorsPolicy? _everywhere = Make(settings.CorsOrigins);
    private Policies? _ingest;

    // By the path: a browser that asks first does so by OPTIONS, which finds no route.
    public Task<CorsPolicy?> GetPolicyAsync(HttpContext context, string? policyName) =>
        Task.FromResult(context.Request.Path.Equals(CollectSetup.Route, StringComparison.OrdinalIgnoreCase) ? Ingest() : _everywhere);

    private CorsPolicy? Ingest()
    {
        KeySet keys = ring.Current;
        if (_ingest is not { } made || made.Of != keys)
        {
            _ingest = made = new Policies(keys, Make([.. settings.CorsOrigins, .. keys.PublicOrigins]));
        }

        return made.Policy;
    }

    private static CorsPolicy? Make(IReadOnlyList<string> origins) => origins.Count == 0 ? null : new CorsPolicyBuilder([.. origins])
        .WithMethods("GET", "POST", "DELETE")
        .WithHeaders("Content-Type", "Content-Encoding", "Idempotency-Key", "Authorization")
        .WithExposedHeaders(["Retry-After", .. AnswerHeaders.All])
        .Build();

    private sealed record Policies(KeySet Of, CorsPolicy? Policy);
}
