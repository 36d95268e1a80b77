using System.Net.Http.Headers;
using ClickAggregator.Api.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>Every route with no key, a wrong one, one of another scope, a revoked one and the right one.</summary>
public class EnforcementTests(KeyedServer keyed) : IClassFixture<KeyedServer>
{
    private readonly TestKeys _keys = keyed.Keys;

    private ApiServer Server => keyed.Server;

    [Fact]
    public async Task Every_route_names_its_scope()
    {
        RouteEndpoint[] routes = await AllRoutesAsync();
        Assert.True(routes.Length > 40);
        Assert.All(routes, route => Assert.True(
            route.Metadata.GetMetadata<NeededScope>() is not null, $"{route.DisplayName} names no scope: .Needs(KeyScope.…) or .NeedsNoKey()"));
    }

    [Fact]
    public void The_scopes_are_the_documented_ones() => Assert.Equal(
        new Dictionary<KeyScope, string[]>
        {
            [KeyScope.None] =
            [
                "/", "/assets/app.js", "/assets/chart.js", "/assets/docs.js", "/assets/dom.js", "/assets/icon.svg", "/assets/key.js", "/assets/reconciliation.js", "/assets/style.css", "/docs",
                "/health/live", "/health/ready", "/health/ready/query", "/v1/r/{kind}/{id}",
            ],
            [KeyScope.Ingest] = ["/v1/clicks"],
        },
        Routes().Where(route => Scope(route) is KeyScope.None or KeyScope.Ingest).GroupBy(Scope)
            .ToDictionary(group => group.Key, group => group.Select(Path).Distinct().Order(StringComparer.Ordinal).ToArray()));

    [Fact]
    public async Task Every_route_lets_in_who_has_its_scope_and_nobody_else()
    {
        foreach (RouteEndpoint route in await AllRoutesAsync())
        {
            KeyScope needed = Scope(route);
            foreach (string method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                string what = $"{method} {Path(route)}";
                foreach ((string name, string? secret) in Given())
                {
                    KeyScope has = name == "all" ? KeyScope.Ingest | KeyScope.Read | KeyScope.Admin
                        : KeyScopes.TryParse(name, out KeyScope own) ? own : KeyScope.None;
                    Answer answer = await SendAsync(method, Path(route), secret);
                    int wanted = needed == KeyScope.None || (has & needed) != 0 ? 0 : has == KeyScope.None ? 401 : 403;
                    Assert.True(
                        wanted == 0 ? answer.Status is not (401 or 403) || Path(route).StartsWith("/v1/r/", StringComparison.Ordinal) : answer.Status == wanted,
                        $"{what} with the key \"{name}\" answered {answer.Status}");
                    if (wanted != 0 && method != "HEAD")
                    {
                        Assert.Equal(wanted == 401 ? "key_invalid" : "scope_missing", answer.Code);
                        Assert.Equal("application/problem+json", answer.Message.Content.Headers.ContentType!.MediaType);
                        Assert.True(answer.Message.Headers.CacheControl!.NoStore);
                    }

                    Assert.Equal(wanted == 401, answer.Message.Headers.WwwAuthenticate.Count > 0);
                }
            }
        }
    }

    [Fact]
    public async Task An_answer_does_not_tell_a_revoked_key_from_one_that_never_was()
    {
        Answer unknown = await SendAsync("GET", "/v1/clicks/total", TestKeys.Unknown);
        Answer revoked = await SendAsync("GET", "/v1/clicks/total", _keys["old"]);
        Answer none = await SendAsync("GET", "/v1/clicks/total", null);
        Assert.Equal(unknown.Body, revoked.Body);
        Assert.Equal(unknown.Body, none.Body);
        Assert.Equal("Bearer", none.Message.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Theory]
    [InlineData("Basic {0}")]
    [InlineData("{0}")]
    [InlineData("Bearer")]
    [InlineData("Bearer {0}x")]
    [InlineData("Bearer {0} {0}")]
    [InlineData("Bearer \u00e9{0}")]
    public async Task What_is_not_a_bearer_key_is_401(string header)
    {
        string text = string.Format(System.Globalization.CultureInfo.InvariantCulture, header, _keys["all"]);
        string answer = await Server.RawAsync($"GET /v1/clicks/total HTTP/1.1\r\nHost: x.example\r\nAuthorization: {text}\r\nConnection: close\r\n\r\n");
        Assert.True(answer.StartsWith("HTTP/1.1 401", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), answer);
    }

    [Fact]
    public async Task A_browser_may_give_the_key_as_a_password_to_the_dashboard_alone()
    {
        foreach ((string path, string name, int wanted) in (ValueTuple<string, string, int>[])[
            ("/dashboard/", "admin", 200), ("/dashboard/", "read", 403), ("/dashboard/", "old", 401), ("/metrics", "admin", 401), ("/v1/status", "read", 401)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("me:" + _keys[name])));
            using HttpResponseMessage answer = await Server.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal((path, name, wanted), (path, name, (int)answer.StatusCode));
            Assert.Equal(wanted == 401 && path == "/dashboard/", answer.Headers.WwwAuthenticate.Any(one => one.Scheme == "Basic"));
        }
    }

    [Fact]
    public async Task What_takes_a_password_changes_nothing() => Assert.All(
        // Browsers send it along from any page.
        (await AllRoutesAsync()).Where(route => route.Metadata.GetMetadata<NeededScope>()!.AsPassword),
        route => Assert.True(route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is ["GET"], route.DisplayName));

    [Fact]
    public async Task Two_keys_are_none()
    {
        string answer = await Server.RawAsync(
            $"GET /v1/clicks/total HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {_keys["all"]}\r\nAuthorization: Bearer {_keys["all"]}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 401", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("bearer")]
    [InlineData("BEARER")]
    public async Task The_scheme_may_be_written_as_one_likes(string scheme)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/clicks/total");
        request.Headers.Authorization = new AuthenticationHeaderValue(scheme, _keys["read"]);
        Assert.Equal(200, (await Answer.ReadAsync(await Server.Client.SendAsync(request, TestContext.Current.CancellationToken))).Status);
    }

    [Fact]
    public async Task The_key_is_looked_at_before_the_body()
    {
        // A body that was announced and never comes: an answer must not wait for it. Both at once: each connection stays open for a
        // few seconds more, in case that it comes after all.
        string[] keys = ["", "Authorization: Bearer " + _keys["read"] + "\r\n"];
        string[] answers = await Task.WhenAll(keys.Select(key => Server.RawAsync(
            $"POST /v1/clicks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n{key}\r\n")));
        Assert.StartsWith("HTTP/1.1 401", answers[0], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 403", answers[1], StringComparison.Ordinal);
        Assert.All(answers, answer => Assert.Contains("Connection: close", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_keys_the_server_may_have_any_name()
    {
        string answer = await Server.RawAsync(
            $"GET /v1/clicks/total HTTP/1.1\r\nHost: clicks.shop.example\r\nAuthorization: Bearer {_keys["read"]}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_404_and_a_wrong_method_405_for_everybody()
    {
        Assert.Equal(404, (await SendAsync("GET", "/v1/nothing", null)).Status);
        Assert.Equal(405, (await SendAsync("GET", "/v1/clicks", null)).Status);
    }

    // Those of the dashboard are made when it is first asked for.
    private async Task<RouteEndpoint[]> AllRoutesAsync()
    {
        Assert.Equal(200, (await SendAsync("GET", "/dashboard/", _keys["admin"])).Status);
        return Routes();
    }

    private RouteEndpoint[] Routes() => [.. Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private static KeyScope Scope(RouteEndpoint route) => route.Metadata.GetMetadata<NeededScope>()!.Scope;

    private static string Path(RouteEndpoint route) => "/" + route.RoutePattern.RawText!.TrimStart('/');

    private IEnumerable<(string Name, string? Secret)> Given() =>
    [
        ("none", null), ("wrong", TestKeys.Unknown), ("old", _keys["old"]),
        .. TestKeys.Scopes.Select(scope => (KeyScopes.Text(scope), (string?)_keys[KeyScopes.Text(scope)])), ("all", _keys["all"]),
    ];

    private async Task<Answer> SendAsync(string method, string path, string? secret)
    {
        string at = System.Text.RegularExpressions.Regex.Replace(path, @"\{[^}]*\}", part => part.Value.EndsWith(":int}", StringComparison.Ordinal) ? "1" : "x");
        using var request = new HttpRequestMessage(new HttpMethod(method), at);
        if (method == "POST")
        {
            request.Content = new StringContent("{\"ad_id\":\"a-1\"}", System.Text.Encoding.UTF8, "application/json");
        }

        if (secret is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        }

        // The dashboard's trace never ends: of what is let in, nothing more is read.
        using HttpResponseMessage message = await Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return message.IsSuccessStatusCode ? new Answer((int)message.StatusCode, "", message) : await Answer.ReadAsync(message);
    }
}
