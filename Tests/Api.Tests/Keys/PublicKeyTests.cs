using System.Net.Http.Headers;
using ClickAggregator.Api.Keys;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>A server with public keys of two sites, and one of a machine.</summary>
public sealed class PublicKeyServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-public-").FullName;
    private ApiServer? _server;

    internal RecordedLog Log { get; } = new();

    internal ApiServer Server => _server!;

    internal string Page { get; private set; } = "";

    internal string OtherPage { get; private set; } = "";

    internal string Secret { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var keys = new TestKeys(_folder);
        Page = await keys.AddAsync("page", KeyScope.Ingest, "https://a.example", "https://www.a.example");
        OtherPage = await keys.AddAsync("other", KeyScope.Ingest, "https://b.example:8443");
        Secret = await keys.AddAsync("machine", KeyScope.Ingest | KeyScope.Read);
        // Everything is logged, as far as anybody can set it.
        _server = await ApiServer.StartOnAsync(
            _folder,
            services => services.AddSingleton<ILoggerProvider>(Log),
            "--Cors:Origins=https://partner.example", "--Logging:Console:LogLevel:Default=None", "--Logging:LogLevel:Microsoft.AspNetCore=Trace", "--Logging:LogLevel:ClickAggregator=Trace",
            "--Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics=Trace",
            "--Logging:ClickAggregator.Api.Tests.Keys.RecordedLog:LogLevel:Default=Trace", "--Logging:ClickAggregator.Api.Tests.Keys.RecordedLog:LogLevel:Orleans=None");
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

public class PublicKeyTests(PublicKeyServer keyed) : IClassFixture<PublicKeyServer>
{
    private const string Click = "{\"ad_id\":\"a-1\"}";

    [Theory]
    [InlineData("text/plain;charset=UTF-8", Click, 1)]
    [InlineData("text/plain", "[{\"ad_id\":\"a-1\"},{\"ad_id\":\"a-2\"}]", 2)]
    [InlineData("application/json", Click, 1)]
    [InlineData("application/x-ndjson", Click + "\n" + Click, 2)]
    public async Task A_page_posts_with_its_key_in_the_address(string type, string body, int accepted)
    {
        Answer answer = await PostAsync(body, type, "https://a.example", keyed.Page);
        Assert.Equal((202, accepted), (answer.Status, answer.Accepted));
        Assert.Equal("https://a.example", answer.Message.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task It_may_also_be_sent_as_a_header()
    {
        Answer answer = await PostAsync(Click, "text/plain", "https://www.a.example", null, keyed.Page);
        Assert.Equal(202, answer.Status);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://a.example")]
    [InlineData("https://a.example:444")]
    [InlineData("https://A.example")]
    [InlineData("https://a.example.evil.example")]
    [InlineData("https://b.example:8443")]
    [InlineData("https://partner.example")]
    [InlineData("null")]
    [InlineData(null)]
    public async Task From_elsewhere_it_is_no_good(string? origin)
    {
        foreach (Answer answer in (Answer[])[await PostAsync(Click, "text/plain", origin, keyed.Page), await PostAsync(Click, "application/json", origin, null, keyed.Page)])
        {
            Assert.Equal((403, "origin_not_allowed"), (answer.Status, answer.Code));
        }
    }

    [Fact]
    public async Task It_reads_nothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/clicks/total");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", keyed.Page);
        request.Headers.Add("Origin", "https://a.example");
        Answer answer = await Answer.ReadAsync(await keyed.Server.Client.SendAsync(request, TestContext.Current.CancellationToken));
        Assert.Equal((403, "scope_missing"), (answer.Status, answer.Code));
        Assert.False(answer.Message.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(401, (await keyed.Server.GetAsync("/v1/clicks/total?key=" + keyed.Page)).Status);
    }

    [Fact]
    public async Task A_secret_key_in_an_address_is_refused_and_is_the_only_one_with_text()
    {
        Answer inAddress = await PostAsync(Click, "application/json", "https://a.example", keyed.Secret);
        Assert.Equal((401, "key_invalid"), (inAddress.Status, inAddress.Code));
        Assert.Contains("Only a public key", inAddress.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(keyed.Secret, inAddress.Body, StringComparison.Ordinal);
        Assert.Equal(415, (await PostAsync(Click, "text/plain", null, null, keyed.Secret)).Status);
        Assert.Equal(202, (await PostAsync(Click, "application/json", null, null, keyed.Secret)).Status);
    }

    [Fact]
    public async Task Two_keys_and_other_parameters_are_refused()
    {
        Answer both = await PostAsync(Click, "application/json", "https://a.example", keyed.Page, keyed.Page);
        Assert.Equal((400, "unknown_parameter"), (both.Status, both.Code));
        Answer twice = await PostAsync(Click, "application/json", "https://a.example", keyed.Page + "&key=" + keyed.Page);
        Assert.Equal(401, twice.Status);
        Answer more = await PostAsync(Click, "application/json", "https://a.example", keyed.Page + "&x=1");
        Assert.Equal((400, "unknown_parameter"), (more.Status, more.Code));
        Assert.Equal(401, (await PostAsync(Click, "application/json", "https://a.example", "pk_" + TestKeys.Unknown[3..])).Status);
        Assert.Equal(401, (await PostAsync(Click, "application/json", "https://a.example", "")).Status);
    }

    [Theory]
    [InlineData("/v1/clicks", "https://a.example", true)]
    [InlineData("/v1/clicks", "https://b.example:8443", true)]
    [InlineData("/v1/clicks", "https://partner.example", true)]
    [InlineData("/v1/clicks", "https://evil.example", false)]
    [InlineData("/v1/ads/query", "https://a.example", false)]
    [InlineData("/v1/ads/query", "https://partner.example", true)]
    public async Task A_browser_that_asks_first_is_told_which_origins_may(string path, string origin, bool may)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type,authorization");
        using HttpResponseMessage answer = await keyed.Server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(may ? [origin] : [], answer.Headers.TryGetValues("Access-Control-Allow-Origin", out IEnumerable<string>? leave) ? leave : []);
    }

    [Fact]
    public async Task A_page_may_read_why_its_key_is_refused()
    {
        Answer answer = await PostAsync(Click, "text/plain", "https://a.example", "pk_" + TestKeys.Unknown[3..]);
        Assert.Equal(401, answer.Status);
        Assert.Equal("https://a.example", answer.Message.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task No_key_is_ever_in_the_diagnostics()
    {
        await PostAsync(Click, "text/plain", "https://a.example", keyed.Page);
        await PostAsync(Click, "text/plain", "https://evil.example", keyed.Page);
        await PostAsync(Click, "text/html", "https://a.example", keyed.Page);
        await PostAsync("{", "application/json", null, null, keyed.Secret);
        await PostAsync(Click, "application/json", "https://a.example", keyed.Secret);
        await keyed.Server.GetAsync("/v1/clicks/total?key=" + keyed.Page, keyed.Secret);
        Assert.Contains(keyed.Log.Lines, line => line.Contains("Request matched endpoint", StringComparison.Ordinal)); // it is on
        Assert.All(keyed.Log.Lines, line =>
        {
            Assert.DoesNotContain(keyed.Page, line, StringComparison.Ordinal);
            Assert.DoesNotContain(keyed.Secret, line, StringComparison.Ordinal);
        });
    }

    private async Task<Answer> PostAsync(string body, string type, string? origin, string? inAddress, string? header = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/clicks" + (inAddress is null ? "" : "?key=" + inAddress))
        {
            Content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body)),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
        }

        if (header is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", header);
        }

        return await Answer.ReadAsync(await keyed.Server.Client.SendAsync(request, TestContext.Current.CancellationToken));
    }
}
