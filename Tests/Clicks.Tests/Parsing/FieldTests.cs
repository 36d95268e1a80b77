namespace ClickAggregator.Clicks.Tests.Parsing;

public class FieldTests
{
    [Fact]
    public void A_full_click_is_read()
    {
        Parsed click = Parsed.Click("""
            { "click_id": "01JD", "ad_id": "a-42", "timestamp": "2026-11-22T19:21:55.123Z", "campaign_id": "c-7",
              "user_id": "u-9", "country": "us", "device": "mobile", "referrer": "News.example", "other": [1, {"x": null}] }
            """);
        Assert.Equal(
            new Parsed(TargetKind.Ad, "a-42", "01JD", Parsed.Now, "c-7", "u-9", "US", "mobile", "news.example", ""), click);
    }

    [Theory]
    [InlineData("ad_id", TargetKind.Ad)]
    [InlineData("video_id", TargetKind.Video)]
    [InlineData("post_id", TargetKind.Post)]
    [InlineData("page_id", TargetKind.Page)]
    [InlineData("app_id", TargetKind.App)]
    public void Every_kind_of_target_has_its_field(string field, TargetKind kind)
    {
        Parsed click = Parsed.Click($$"""{"{{field}}":"x"}""");
        Assert.Equal((kind, "x"), (click.Kind, click.Target));
    }

    [Fact]
    public void A_click_of_only_a_target_leaves_id_and_timestamp_to_the_caller()
    {
        Parsed click = Parsed.Click("""{"ad_id":"x"}""");
        Assert.Equal(new Parsed(TargetKind.Ad, "x", "", Click.NoTimestamp, "", "", "", "", "", ""), click);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public void Null_and_empty_mean_absent_in_optional_fields(string nothing)
    {
        Parsed click = Parsed.Click($$"""
            {"ad_id":"x","click_id":{{nothing}},"timestamp":{{nothing}},"campaign_id":{{nothing}},"user_id":{{nothing}},
            "country":{{nothing}},"device":{{nothing}},"referrer":{{nothing}}}
            """);
        Assert.Equal(new Parsed(TargetKind.Ad, "x", "", Click.NoTimestamp, "", "", "", "", "", ""), click);
    }

    [Theory]
    [InlineData("{}", "target_missing", null)]
    [InlineData("""{"click_id":"a"}""", "target_missing", null)]
    [InlineData("""{"ad_id":null}""", "target_missing", null)]
    [InlineData("""{"AD_ID":"x"}""", "target_missing", null)]
    [InlineData("""{"ad_id":"x","video_id":"y"}""", "target_ambiguous", "video_id")]
    [InlineData("""{"page_id":"x","page_url":"http://a/"}""", "target_ambiguous", "page_url")]
    [InlineData("""{"ad_id":"","app_id":"y"}""", "target_ambiguous", "app_id")]
    [InlineData("""{"ad_id":""}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"."}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":".."}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"../x"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"%2e%2e"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"';--"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"a b"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"a|b"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"a@b"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"a\u0000"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"a\r\nb"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"a\u202eb"}""", "id_invalid", "ad_id")]
    [InlineData("{\"ad_id\":\"a\u202eb\"}", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"\ud800"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"é"}""", "id_invalid", "ad_id")]
    [InlineData("""{"ad_id":"x","click_id":"../"}""", "id_invalid", "click_id")]
    [InlineData("""{"ad_id":"x","campaign_id":"a\nb"}""", "id_invalid", "campaign_id")]
    [InlineData("""{"ad_id":"x","user_id":"a/b"}""", "id_invalid", "user_id")]
    [InlineData("""{"ad_id":42}""", "field_invalid", "ad_id")]
    [InlineData("""{"ad_id":["x"]}""", "field_invalid", "ad_id")]
    [InlineData("""{"ad_id":{}}""", "field_invalid", "ad_id")]
    [InlineData("""{"ad_id":true}""", "field_invalid", "ad_id")]
    [InlineData("""{"ad_id":"x","click_id":1}""", "field_invalid", "click_id")]
    [InlineData("""{"ad_id":"x","user_id":false}""", "field_invalid", "user_id")]
    [InlineData("""{"ad_id":"x","country":"USA"}""", "field_invalid", "country")]
    [InlineData("""{"ad_id":"x","country":"U"}""", "field_invalid", "country")]
    [InlineData("""{"ad_id":"x","country":"U1"}""", "field_invalid", "country")]
    [InlineData("""{"ad_id":"x","country":"é"}""", "field_invalid", "country")]
    [InlineData("""{"ad_id":"x","country":1}""", "field_invalid", "country")]
    [InlineData("""{"ad_id":"x","device":"a b"}""", "field_invalid", "device")]
    [InlineData("""{"ad_id":"x","device":"123456789012345678901234567890123"}""", "field_invalid", "device")]
    [InlineData("""{"ad_id":"x","referrer":7}""", "field_invalid", "referrer")]
    [InlineData("""{"ad_id":"x","timestamp":true}""", "field_invalid", "timestamp")]
    [InlineData("""{"ad_id":"x","timestamp":[]}""", "field_invalid", "timestamp")]
    public void A_bad_field_is_named_with_its_code(string json, string code, string? field)
    {
        ClickError error = Parsed.Error(json);
        Assert.Equal((code, field), (error.CodeName, error.Field));
        Assert.NotEmpty(error.Message);
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void Ids_have_at_most_128_bytes(int length, bool valid)
    {
        string id = new('a', length);
        string escaped = "\\u0061" + id[1..];
        foreach (string sent in new[] { id, escaped })
        {
            string json = $$"""{"ad_id":"{{sent}}"}""";
            if (valid)
            {
                Assert.Equal(id, Parsed.Click(json).Target);
            }
            else
            {
                Assert.Equal(ClickErrorCode.IdInvalid, Parsed.Error(json).Code);
            }
        }
    }

    [Fact]
    public void Escapes_are_resolved_before_the_rules_are_asked()
    {
        Parsed click = Parsed.Click("""{"\u0061d\u005Fid":"\u0061\u002D1","country":"\u0075s","device":"\u006dobile"}""");
        Assert.Equal(("a-1", "US", "mobile"), (click.Target, click.Country, click.Device));
    }

    [Theory]
    [InlineData("direct", "direct")]
    [InlineData("t.co", "t.co")]
    [InlineData("T.CO", "t.co")]
    [InlineData("t.co.", "t.co")]
    [InlineData("t.co/abc?d", "t.co")]
    [InlineData("t.co:8080", "t.co")]
    [InlineData("https://News.Example:8443/a/b?c#d", "news.example")]
    [InlineData("https:\\/\\/news.example\\/", "news.example")]
    [InlineData("http://user:secret@Host.example/", "host.example")]
    [InlineData("//host.example/x", "host.example")]
    [InlineData("android-app://com.google.Android/", "com.google.android")]
    [InlineData("http://[2001:DB8::1]:80/", "[2001:db8::1]")]
    [InlineData("http://under_score.example", "under_score.example")]
    [InlineData("https://a.example/?u=http://b.example/", "a.example")]
    [InlineData("a.example/?u=http://b.example/", "a.example")]
    public void The_host_of_a_referrer_is_kept(string referrer, string host) =>
        Assert.Equal(host, Parsed.Click($$"""{"ad_id":"x","referrer":"{{referrer}}"}""").Referrer);

    [Theory]
    [InlineData("http:///x")]
    [InlineData("/path")]
    [InlineData("about:blank")]
    [InlineData("http://a b/")]
    [InlineData("http://a..b/")]
    [InlineData(".a")]
    [InlineData("http://h:99999999/")]
    [InlineData("http://[zz]/")]
    [InlineData("http://[]/")]
    [InlineData("http://[::1]x/")]
    [InlineData("münchen.example")]
    [InlineData("a|b")]
    [InlineData("a\\u0000b")]
    [InlineData("\\u000d\\u000aHost: x")]
    public void A_referrer_without_a_usable_host_is_refused(string referrer) =>
        Assert.Equal(ClickErrorCode.FieldInvalid, Parsed.Error($$"""{"ad_id":"x","referrer":"{{referrer}}"}""").Code);

    [Fact]
    public void Referrers_have_at_most_2048_bytes_and_hosts_253()
    {
        string url = "http://t.co/" + new string('x', 2036);
        Assert.Equal("t.co", Parsed.Click($$"""{"ad_id":"x","referrer":"{{url}}"}""").Referrer);
        Assert.Equal(ClickErrorCode.FieldInvalid, Parsed.Error($$"""{"ad_id":"x","referrer":"{{url}}x"}""").Code);
        string host = new('h', 253);
        Assert.Equal(host, Parsed.Click($$"""{"ad_id":"x","referrer":"{{host}}"}""").Referrer);
        Assert.Equal(ClickErrorCode.FieldInvalid, Parsed.Error($$"""{"ad_id":"x","referrer":"{{host}}h"}""").Code);
    }
}
