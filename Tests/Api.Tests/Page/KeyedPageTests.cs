using ClickAggregator.Api.Keys;
using ClickAggregator.Api.Tests.Keys;

namespace ClickAggregator.Api.Tests.Page;

/// <summary>The pages in a real browser, on a server that asks for a key and on one that does not.</summary>
public class KeyedPageTests(KeyedServer keyed) : IClassFixture<KeyedServer>
{
    private const string FormIsShown = "document.getElementById('key-form')?.hidden === false && document.readyState === 'complete'";
    private const string NumbersAreShown = "document.getElementById('clicks-20m').textContent !== '–' && document.getElementById('key-form').hidden";
    private const string Said = "document.getElementById('key-said').textContent";

    [Fact]
    public async Task The_live_page_asks_for_a_key_says_what_is_wrong_with_it_and_shows_the_numbers_to_the_right_one()
    {
        await using Chromium page = await Chromium.OpenAsync(keyed.Server.Address);
        await page.UntilAsync(FormIsShown);
        Assert.Contains("only to who has a key", await page.EvaluateAsync(Said), StringComparison.Ordinal);

        await page.EnterAsync("key", TestKeys.Unknown);
        await page.UntilAsync($"{Said}.includes('does not know this key')");
        await page.EnterAsync("key", "not a key");
        await page.UntilAsync($"{Said}.includes('This is no key')");
        await page.EnterAsync("key", keyed.Keys["ingest"]);
        await page.UntilAsync($"{Said}.includes('does not have the scope read')");
        await page.EnterAsync("key", keyed.Keys["read"]);
        await page.UntilAsync(NumbersAreShown);

        Assert.Equal(keyed.Keys["read"], await page.EvaluateAsync("sessionStorage.getItem('clicks-key')"));
        Assert.Equal("0", await page.EvaluateAsync("localStorage.length"));
        Assert.Equal(keyed.Server.Address.ToString(), await page.EvaluateAsync("location.href"));
        Assert.Equal("false", await page.EvaluateAsync($"document.documentElement.outerHTML.includes('{keyed.Keys["read"]}')"));
        Assert.Equal("false", await page.EvaluateAsync($"performance.getEntries().some(entry => entry.name.includes('{keyed.Keys["read"]}'))"));
        Assert.Contains("-H \"Authorization: Bearer $KEY\"", await page.EvaluateAsync("document.getElementById('read').textContent"), StringComparison.Ordinal);

        // The description of the calls, in the same tab, knows it already.
        await page.EvaluateAsync("location.assign('/docs')");
        await page.UntilAsync("document.querySelectorAll('.call').length > 20");
        Assert.Contains("needs the scope ingest", await page.EvaluateAsync("document.getElementById('post-v1-clicks').textContent"), StringComparison.Ordinal);
        await page.EvaluateAsync("document.getElementById('key-forget').click()");
        await page.UntilAsync(FormIsShown);
        Assert.Equal("null", await page.EvaluateAsync("sessionStorage.getItem('clicks-key')"));
    }

    [Fact]
    public async Task A_key_that_is_revoked_while_the_page_is_open_is_asked_for_again()
    {
        string secret = await keyed.Keys.AddAsync("visitor", KeyScope.Read);
        await using Chromium page = await Chromium.OpenAsync(keyed.Server.Address);
        await page.UntilAsync(FormIsShown);
        await keyed.Server.UntilAsync("/v1/clicks/total", answer => answer.Status == 200, secret);
        await page.EnterAsync("key", secret);
        await page.UntilAsync(NumbersAreShown);
        await keyed.Keys.Store.RevokeAsync("visitor", DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        await page.UntilAsync(FormIsShown);
        Assert.Contains("it was revoked", await page.EvaluateAsync(Said), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_keys_nothing_is_asked_for()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        await using Chromium page = await Chromium.OpenAsync(server.Address);
        await page.UntilAsync("document.readyState === 'complete'");
        await page.UntilAsync(NumbersAreShown);
        Assert.Equal("false", await page.EvaluateAsync("document.querySelector('[data-open]').hidden"));
        Assert.DoesNotContain("Authorization", await page.EvaluateAsync("document.getElementById('send').textContent"), StringComparison.Ordinal);
    }
}
