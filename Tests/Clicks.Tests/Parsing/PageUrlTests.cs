using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ClickAggregator.Clicks.Tests.Parsing;

public class PageUrlTests
{
    [Theory]
    [InlineData("https://Example.COM/A/b", "https://example.com/A/b")]
    [InlineData("HTTP://example.com", "http://example.com/")]
    [InlineData("https://example.com/a?b=c#d", "https://example.com/a")]
    [InlineData("https://example.com?b", "https://example.com/")]
    [InlineData("https://example.com#b", "https://example.com/")]
    [InlineData("https://example.com/#b?c", "https://example.com/")]
    [InlineData("https://example.com:443/", "https://example.com/")]
    [InlineData("http://example.com:80/", "http://example.com/")]
    [InlineData("http://example.com:/", "http://example.com/")]
    [InlineData("http://example.com:443/", "http://example.com:443/")]
    [InlineData("https://example.com:08443/", "https://example.com:8443/")]
    [InlineData("https://user:pw@example.com/", "https://example.com/")]
    [InlineData("https://example.com/%7Ea/../b//", "https://example.com/%7Ea/../b//")]
    [InlineData("https:\\/\\/example.com\\/a\\u003fq", "https://example.com/a")]
    [InlineData("https://example.com/é", "https://example.com/é")]
    [InlineData("http://[::1]:80/x", "http://[::1]/x")]
    public void A_page_url_is_normalised_and_hashed(string sent, string normalised)
    {
        Parsed click = Parsed.Click($$"""{"page_url":"{{sent}}"}""");
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(normalised));
        Assert.Equal(normalised, click.PageUrl);
        Assert.Equal((TargetKind.Page, "p-" + Base64Url.EncodeToString(hash)[..22]), (click.Kind, click.Target));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"example.com/a\"")]
    [InlineData("\"//example.com/a\"")]
    [InlineData("\"ftp://example.com/\"")]
    [InlineData("\"javascript:alert(1)\"")]
    [InlineData("\"https://\"")]
    [InlineData("\"https:///a\"")]
    [InlineData("\"https://exa mple.com/\"")]
    [InlineData("\"https://example.com/a b\"")]
    [InlineData("\"https://example.com/a\\r\\nb\"")]
    [InlineData("\"https://example.com/\\u0000\"")]
    [InlineData("\"https://example.com\\\\@evil/\"")]
    [InlineData("\"https://example.com:port/\"")]
    [InlineData("\"https://example.com:99999/\"")]
    [InlineData("\"https://example.com:0/\"")]
    [InlineData("\" https://example.com/\"")]
    [InlineData("7")]
    public void A_bad_page_url_is_refused(string json)
    {
        ClickError error = Parsed.Error($$"""{"page_url":{{json}}}""");
        Assert.Equal(("field_invalid", "page_url"), (error.CodeName, error.Field));
    }

    [Fact]
    public void A_long_query_is_no_harm_and_a_long_path_is_refused()
    {
        string query = new('q', 10_000);
        Assert.Equal("https://e.x/a", Parsed.Click($$"""{"page_url":"https://e.x/a?{{query}}"}""").PageUrl);
        Assert.Equal("https://e.x/a", Parsed.Click($$"""{"page_url":"https:\/\/e.x\/a?{{query}}"}""").PageUrl);
        Assert.Equal(ClickErrorCode.FieldInvalid, Parsed.Error($$"""{"page_url":"https://e.x/{{query}}"}""").Code);
        string path = new('p', 2048 - "https://e.x/".Length);
        Assert.Equal(2048, Parsed.Click($$"""{"page_url":"https://e.x/{{path}}"}""").PageUrl.Length);
        Assert.Equal(ClickErrorCode.FieldInvalid, Parsed.Error($$"""{"page_url":"https://e.x/{{path}}p"}""").Code);
    }
}
