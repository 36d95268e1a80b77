using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using ClickAggregator.Api.Page;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace ClickAggregator.Api.Tests.Page;

public sealed partial class PageTests : IAsyncLifetime
{
    private readonly WebApplication _app = MakeApp();
    private readonly HttpClient _client = new();

    public static TheoryData<string> Routes => [.. PageAsset.All.Select(asset => asset.Route)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync(Cancel);
        _client.BaseAddress = new Uri(_app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Each_file_is_served_and_may_load_only_from_here(string route)
    {
        using HttpResponseMessage answer = await _client.GetAsync(route, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(PageAsset.All.Single(asset => asset.Route == route).ContentType, answer.Content.Headers.ContentType!.ToString());
        Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync(Cancel));
        Assert.StartsWith(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;",
            Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.True(answer.Headers.CacheControl!.NoCache);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_file_the_browser_has_is_not_sent_again(string route)
    {
        using HttpResponseMessage first = await _client.GetAsync(route, Cancel);
        using var again = new HttpRequestMessage(HttpMethod.Get, route);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using HttpResponseMessage second = await _client.SendAsync(again, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync(Cancel));

        using var other = new HttpRequestMessage(HttpMethod.Get, route);
        other.Headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"older\""));
        using HttpResponseMessage third = await _client.SendAsync(other, Cancel);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task Whatever_a_file_asks_for_is_served()
    {
        foreach (PageAsset asset in PageAsset.All)
        {
            foreach (Match match in Reference().Matches(Text(asset)))
            {
                string name = match.Groups["path"].Value;
                string route = name.StartsWith("./", StringComparison.Ordinal) ? "/assets/" + name[2..] : name;
                Assert.True(PageAsset.All.Any(other => other.Route == route), $"{asset.Route} asks for {route}, which is not there.");
            }
        }
    }

    [Fact]
    public void No_file_names_another_site()
    {
        foreach (PageAsset asset in PageAsset.All)
        {
            // the name of SVG's namespace is no address; nothing is loaded from it
            string text = Text(asset).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.DoesNotMatch(ElsewhereForm(), text);
        }
    }

    [Fact]
    public void Data_never_becomes_markup_and_no_script_or_style_stands_in_the_page()
    {
        foreach (PageAsset asset in PageAsset.All)
        {
            string text = Text(asset);
            Assert.DoesNotMatch(MarkupForm(), text);
            if (asset.ContentType.StartsWith("text/html", StringComparison.Ordinal))
            {
                Assert.DoesNotMatch(InlineForm(), text);
            }
        }
    }

    [Theory]
    [InlineData("x.innerHTML = id")]
    [InlineData("x.insertAdjacentHTML('beforeend', id)")]
    [InlineData("new Function(id)")]
    public void The_rule_about_markup_finds_it(string script) => Assert.Matches(MarkupForm(), script);

    [Theory]
    [InlineData("<script>go()</script>")]
    [InlineData("<p onclick=\"go()\">")]
    [InlineData("<p style=\"color: red\">")]
    public void The_rule_about_inline_scripts_finds_them(string html) => Assert.Matches(InlineForm(), html);

    [Theory]
    [InlineData("<script src=\"//cdn.example/x.js\">")]
    [InlineData("@import url(https://fonts.example/x.css)")]
    public void The_rule_about_other_sites_finds_them(string text) => Assert.Matches(ElsewhereForm(), text);

    private static WebApplication MakeApp()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        app.MapPage();
        return app;
    }

    private static string Text(PageAsset asset) => Encoding.UTF8.GetString(asset.Content);

    [GeneratedRegex("""(?:src=|rel="(?:icon|stylesheet)" href=|from )["'](?<path>[^"']+)["']""")]
    private static partial Regex Reference();

    [GeneratedRegex("""(?i)\b(?:https?|wss?):|["'(]//""")]
    private static partial Regex ElsewhereForm();

    [GeneratedRegex("""(?i)\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|DOMParser|eval|Function)\b\s*[=(]|document\.write""")]
    private static partial Regex MarkupForm();

    [GeneratedRegex("""(?i)<script(?![^>]*\bsrc=)|<style|\s(?:style|on[a-z]+)=""")]
    private static partial Regex InlineForm();
}
