using System.Net;
using System.Text;
using ClickAggregator.Api.Collect;
using ClickAggregator.Api.Redirect;
using ClickAggregator.ClickLog;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Redirect;

public class RedirectTests(RedirectTests.SignedServer signed, RedirectTests.OpenServer open)
    : IClassFixture<RedirectTests.SignedServer>, IClassFixture<RedirectTests.OpenServer>
{
    private const string Key = "the first key of this test";
    private const string OldKey = "the key before the first one";
    private const string To = "https://shop.example/p?x=1&y=ü#top";
    private static readonly string[] s_keys = ["--Redirect:Keys=" + Key, "--Redirect:Keys=" + OldKey];
    private readonly long[] _signed = signed.Server.Ends();
    private readonly long[] _open = open.Server.Ends();

    private ApiServer Signed => signed.Server;

    private ApiServer Open => open.Server;

    [Fact]
    public async Task A_signed_link_counts_a_click_and_leads_on()
    {
        await using ApiServer server = await StartAsync("--Redirect:CountryHeader=X-Country");
        using var request = new HttpRequestMessage(HttpMethod.Get, Link(Key, "ad", "a-42", To, "c-7"));
        request.Headers.Add("X-Country", "de");
        request.Headers.Add("Referer", "https://News.Example/story?id=1");

        HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.Equal("https://shop.example/p?x=1&y=%C3%BC#top", response.Headers.Location!.AbsoluteUri);
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("noindex", response.Headers.GetValues("X-Robots-Tag").Single());
        StoredClick click = Assert.Single(server.Stored());
        Assert.Equal(("ad", "a-42", "c-7", "DE", "news.example"), (click.Kind, click.Id, click.Campaign, click.Country, click.Referrer));
        Assert.Equal(26, click.ClickId.Length);
    }

    [Theory]
    [InlineData("https://News.Example./story", "news.example")]
    [InlineData("android-app://com.Example/", "com.example")]
    [InlineData("news.example", "news.example")]
    [InlineData("https://a$b.example/", "")]
    [InlineData("https:///", "")]
    [InlineData("//", "")]
    public async Task A_referrer_is_kept_as_that_of_a_posted_click_and_never_costs_the_click(string referrer, string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Link(Key, "ad", "a-42", To));
        request.Headers.TryAddWithoutValidation("Referer", referrer);

        Assert.Equal(HttpStatusCode.Found, (await Signed.Client.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode);

        Assert.Equal(host, Assert.Single(Signed.Stored(_signed)).Referrer);
    }

    [Fact]
    public async Task An_old_key_still_verifies_and_a_foreign_one_does_not()
    {
        Assert.Equal(302, (await Signed.GetAsync(Link(OldKey, "ad", "1", To))).Status);
        Refused(await Signed.GetAsync(Link("a key of somebody else's", "ad", "1", To)), 403, "signature_invalid");
    }

    [Fact]
    public async Task Every_part_of_a_link_is_under_its_signature()
    {
        string good = Link(Key, "ad", "1", To, "c", 4_000_000_000);
        Assert.Equal(302, (await Signed.GetAsync(good)).Status);
        foreach ((string part, string other) in new[]
        {
            ("/r/ad/", "/r/post/"), ("/1?", "/2?"), ("shop.example", "evil.example"), ("campaign_id=c", "campaign_id=d"),
            ("campaign_id=c&", ""), ("exp=4000000000", "exp=4000000001"), ("exp=4000000000&", ""),
        })
        {
            Refused(await Signed.GetAsync(good.Replace(part, other, StringComparison.Ordinal)), 403, "signature_invalid");
        }

        Assert.Single(Signed.Stored(_signed));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    public async Task A_bad_signature_is_403_also_to_an_allowed_host(string signature)
    {
        Refused(await Open.GetAsync($"/v1/r/ad/1?to=https://shop.example/&sig={Uri.EscapeDataString(signature)}"), 403, "signature_invalid");
        Assert.Empty(Open.Stored(_open));
    }

    [Fact]
    public async Task An_expired_link_is_403()
    {
        Refused(await Signed.GetAsync(Link(Key, "ad", "1", To, exp: 1_700_000_000)), 403, "signature_invalid");
        Assert.Equal(302, (await Signed.GetAsync(Link(Key, "ad", "1", To, exp: 4_000_000_000))).Status);
    }

    [Theory]
    [InlineData("https://shop.example/a", 302)]
    [InlineData("https://SHOP.example", 302)]
    [InlineData("http://shop.example/", 403)]
    [InlineData("https://shop.example:8443/", 403)]
    [InlineData("https://sub.shop.example/", 403)]
    [InlineData("https://shop.example.evil.example/", 403)]
    [InlineData("https://evil.example/?shop.example", 403)]
    [InlineData("https://shop.example@evil.example/", 400)]
    [InlineData("https://evil.example\\@shop.example/", 400)]
    [InlineData("https://evil.example\\.shop.example/", 400)]
    [InlineData("//shop.example/", 400)]
    [InlineData("/v1/status", 400)]
    [InlineData("https:shop.example", 400)]
    [InlineData("https:///shop.example", 400)]
    [InlineData("javascript:alert(1)//shop.example", 400)]
    [InlineData("data:text/html,x", 400)]
    [InlineData("file:///etc/passwd", 400)]
    [InlineData("https://shop.example/\r\nSet-Cookie: a=b", 400)]
    [InlineData(" https://shop.example/", 400)]
    [InlineData("", 400)]
    public async Task Without_a_signature_a_link_leads_only_to_an_allowed_host(string to, int status)
    {
        Answer answer = await Open.GetAsync("/v1/r/ad/1?to=" + Uri.EscapeDataString(to));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 302, answer.Message.Headers.Location is not null);
        Assert.Equal(status == 302 ? 1 : 0, Open.Stored(_open).Count);
    }

    [Fact]
    public async Task Without_keys_and_hosts_nothing_is_redirected()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        Refused(await server.GetAsync("/v1/r/ad/1?to=https://shop.example/"), 403, "signature_invalid");
        Refused(await server.GetAsync(Link(Key, "ad", "1", To)), 403, "signature_invalid");
    }

    [Theory]
    [InlineData("/v1/r/campaign/1?to=https://shop.example/", 404, "not_found")]
    [InlineData("/v1/r/ads/1?to=https://shop.example/", 404, "not_found")]
    [InlineData("/v1/r/ad/a%20b?to=https://shop.example/", 400, "invalid_parameter")]
    [InlineData("/v1/r/ad/..%2fx?to=https://shop.example/", 400, "invalid_parameter")]
    [InlineData("/v1/r/ad/1?to=https://shop.example/&campaign_id=a%0ab", 400, "invalid_parameter")]
    [InlineData("/v1/r/ad/1?to=https://shop.example/&exp=soon", 400, "invalid_parameter")]
    [InlineData("/v1/r/ad/1?to=https://shop.example/&to=https://evil.example/", 400, "invalid_parameter")]
    [InlineData("/v1/r/ad/1?to=https://shop.example/&utm=1", 400, "unknown_parameter")]
    [InlineData("/v1/r/ad/1", 400, "invalid_parameter")]
    public async Task What_is_not_a_link_is_refused(string path, int status, string code)
    {
        Refused(await Open.GetAsync(path), status, code);
        Assert.Empty(Open.Stored(_open));
    }

    [Theory]
    [InlineData("Purpose", "prefetch")]
    [InlineData("Sec-Purpose", "prefetch;prerender")]
    public async Task A_prefetch_is_redirected_and_not_counted(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Link(Key, "ad", "1", To));
        request.Headers.Add(header, value);
        Assert.Equal(HttpStatusCode.Found, (await Signed.Client.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode);
        using var head = new HttpRequestMessage(HttpMethod.Head, Link(Key, "ad", "1", To));
        Assert.Equal(HttpStatusCode.Found, (await Signed.Client.SendAsync(head, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Empty(Signed.Stored(_signed));
    }

    [Fact]
    public async Task A_visitor_goes_on_when_the_click_cannot_be_stored_and_a_counter_says_so()
    {
        await using ApiServer server = await StartAsync(
            services => services.AddSingleton<ClickAppender>(provider => new FailingLog(provider.GetRequiredService<PartitionedClickLog>())));
        Assert.Equal(302, (await server.GetAsync(Link(Key, "ad", "1", To))).Status);
        Assert.Contains("clicks_redirects_uncounted_total", (await server.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    private static Task<ApiServer> StartAsync(params string[] args) => StartAsync(null, args);

    private static Task<ApiServer> StartAsync(Action<IServiceCollection>? replace, params string[] args) =>
        ApiServer.StartAsync(replace, [.. s_keys, .. args]);

    private static string Link(string key, string kind, string id, string to, string campaign = "", long? exp = null)
    {
        var link = new StringBuilder($"/v1/r/{kind}/{id}?to={Uri.EscapeDataString(to)}");
        link.Append(campaign.Length > 0 ? $"&campaign_id={campaign}" : "").Append(exp is null ? "" : $"&exp={exp}");
        return link.Append("&sig=" + LinkSignature.Sign(key, kind, id, to, campaign, exp)).ToString();
    }

    private static void Refused(Answer answer, int status, string code)
    {
        Assert.Equal((status, code), (answer.Status, answer.Code));
        Assert.Null(answer.Message.Headers.Location);
    }

    /// <summary>Takes signed links alone.</summary>
    public sealed class SignedServer() : ClassServer(s_keys);

    /// <summary>Takes signed links, and others to one host.</summary>
    public sealed class OpenServer() : ClassServer([.. s_keys, "--Redirect:AllowedHosts=shop.example"]);

    private sealed class FailingLog(PartitionedClickLog log) : ClickAppender(log, NullLogger<ClickAppender>.Instance)
    {
        protected override ValueTask WriteAsync(ClickBatch batch) => throw new InvalidOperationException("no disk");
    }
}
