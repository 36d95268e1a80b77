using System.Text;
using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>What a query refuses, and in which words.</summary>
[Collection(nameof(LoadedServer))]
public class QueryErrorTests(LoadedServer loaded)
{
    private static readonly string[] s_gets =
    [
        "/v1/clicks/total", "/v1/ads/clicks", "/v1/ads/a-0/clicks", "/v1/ads", "/v1/ads/top", "/v1/campaigns/clicks", "/v1/campaigns/c-1/clicks",
        "/v1/campaigns", "/v1/campaigns/top", "/v1/videos/top", "/v1/ads/a-0/aggregated_count", "/v1/ads/popular_ads", "/v1/status",
    ];

    [Fact]
    public async Task An_unknown_parameter_is_named_with_what_is_known()
    {
        foreach (string path in s_gets)
        {
            Answer answer = await loaded.Server.GetAsync(path + "?contry=US");
            Check(answer, 400, "unknown_parameter", "contry");
            string message = answer.Json.GetProperty("errors")[0].GetProperty("message").GetString()!;
            Assert.Contains(path == "/v1/status" ? "there are none" : path.Contains("a-0/agg", StringComparison.Ordinal) || path.Contains("popular", StringComparison.Ordinal) ? "filter" : "country", message, StringComparison.Ordinal);
        }

        Check(await loaded.Server.GetAsync("/v1/clicks/total?Last=20m"), 400, "unknown_parameter", "Last");
        Check(await loaded.Server.GetAsync("/v1/clicks/total?last=20m&last=30d"), 400, "invalid_parameter", "last");
        Check(await loaded.PostAsync("/v1/ads/query?last=20m", """{"ids":["a"]}"""), 400, "unknown_parameter", "last");
    }

    [Theory]
    [InlineData("last=", "last")]
    [InlineData("last=20", "last")]
    [InlineData("last=0m", "last")]
    [InlineData("last=-1d", "last")]
    [InlineData("last=20s", "last")]
    [InlineData("last=99999999999999999999m", "last")]
    [InlineData("last=1.5h", "last")]
    [InlineData("period=last_year", "period")]
    [InlineData("period=", "period")]
    [InlineData("period=Today", "period")]
    [InlineData("last=20m&period=today", "last")]
    [InlineData("last=20m&from=2024-01-01", "last")]
    [InlineData("period=today&to=2024-01-01", "last")]
    [InlineData("from=2024-01-02&to=2024-01-01", "to")]
    [InlineData("from=2024-01-01&to=2024-01-01", "to")]
    [InlineData("to=2024-01-01", "from")]
    [InlineData("from=2024-01-01T00:00:00&to=2024-01-02", "from")]
    [InlineData("from=03/04/2024Z&to=2024-05-01", "from")]
    [InlineData("from=10:00Z", "from")]
    [InlineData("from=2024-02-30", "from")]
    [InlineData("from=2024-01-01&to=yesterday", "to")]
    [InlineData("from=1704067200000", "from")]
    [InlineData("from=1066-10-14", "from")]
    [InlineData("from=9999-12-31T23:59:59-14:00", "from")]
    [InlineData("from=0001-01-01T00:00:00%2B14:00", "from")]
    [InlineData("from=", "from")]
    [InlineData("granularity=week", "granularity")]
    [InlineData("granularity=15m", "granularity")]
    [InlineData("granularity=", "granularity")]
    [InlineData("timezone=Europe/Atlantis", "timezone")]
    [InlineData("timezone=", "timezone")]
    [InlineData("timezone=%2B02:00", "timezone")]
    [InlineData("timezone=Eastern Standard Time", "timezone")]
    [InlineData("timezone=../../../../etc/passwd", "timezone")]
    [InlineData("timezone=/usr/share/zoneinfo/Europe/Berlin", "timezone")]
    [InlineData("timezone=../zoneinfo/Europe/Berlin", "timezone")]
    [InlineData("timezone=europe/BERLIN", "timezone")]
    [InlineData("timezone=Europe", "timezone")]
    [InlineData("timezone=zone.tab", "timezone")]
    [InlineData("timezone=right/Europe/Berlin", "timezone")]
    [InlineData("timezone=posix/Europe/Berlin", "timezone")]
    [InlineData("timezone=localtime", "timezone")]
    [InlineData("timezone=/dev/zero", "timezone")]
    [InlineData("country=USA", "country")]
    [InlineData("country=U1", "country")]
    [InlineData("country=", "country")]
    [InlineData("device=", "device")]
    [InlineData("device=a|b", "device")]
    [InlineData("device=123456789012345678901234567890123", "device")]
    [InlineData("group_by=referrer", "group_by")]
    [InlineData("group_by=country&country=US", "group_by")]
    [InlineData("group_by=device&device=mobile", "group_by")]
    [InlineData("group_by=country&granularity=day", "group_by")]
    [InlineData("format=xml", "format")]
    public async Task A_value_that_is_not_right_is_named(string query, string field)
    {
        // Once where the platform has cached the zone, which it finds whatever its case.
        await loaded.AskAsync("/v1/clicks/total?timezone=Europe/Berlin");
        string[] paths = ["/v1/clicks/total", "/v1/ads/a-0/clicks"];
        foreach (string path in paths)
        {
            Check(await loaded.Server.GetAsync($"{path}?{query}"), 400, "invalid_parameter", field);
        }
    }

    [Theory]
    [InlineData("Etc/UTC")]
    [InlineData("Asia/Calcutta")]
    [InlineData("US/Eastern")]
    [InlineData("America/Argentina/Buenos_Aires")]
    [InlineData("Etc/GMT%2B5")]
    public async Task Every_name_of_a_zone_is_taken(string timezone)
    {
        Counted answer = await loaded.AskAsync($"/v1/clicks/total?last=1d&timezone={timezone}");
        Assert.Equal(Uri.UnescapeDataString(timezone), answer.Json.GetProperty("timezone").GetString());
    }

    [Theory]
    [InlineData("/v1/ads?limit=0", "limit")]
    [InlineData("/v1/ads?limit=1001", "limit")]
    [InlineData("/v1/ads?limit=ten", "limit")]
    [InlineData("/v1/ads?limit=", "limit")]
    [InlineData("/v1/ads?cursor=", "cursor")]
    [InlineData("/v1/ads?cursor=a%7Cb", "cursor")]
    [InlineData("/v1/ads?cursor=..", "cursor")]
    [InlineData("/v1/campaigns?cursor=%00", "cursor")]
    [InlineData("/v1/ads/top?limit=0", "limit")]
    [InlineData("/v1/ads/top?limit=1001", "limit")]
    [InlineData("/v1/ads/popular_ads?count=1001", "count")]
    [InlineData("/v1/ads/popular_ads?window=0", "window")]
    [InlineData("/v1/ads/popular_ads?window=576001", "window")]
    [InlineData("/v1/ads/popular_ads?filter=US", "filter")]
    [InlineData("/v1/ads/popular_ads?filter=", "filter")]
    [InlineData("/v1/ads/popular_ads?filter=city:Berlin", "filter")]
    [InlineData("/v1/ads/popular_ads?filter=country:Germany", "country")]
    [InlineData("/v1/ads/a-0/aggregated_count?filter=device:", "device")]
    [InlineData("/v1/ads/a-0/aggregated_count?from=2024-01-02&to=2024-01-01", "to")]
    [InlineData("/v1/ads/a-0/aggregated_count?to=2024-01-01", "from")]
    public async Task So_is_one_of_a_list_a_ranking_or_a_classic_form(string path, string field) =>
        Check(await loaded.Server.GetAsync(path), 400, "invalid_parameter", field);

    [Fact]
    public async Task Too_large_a_range_names_its_limit()
    {
        (string Query, string? Field, string Limit)[] cases =
        [
            ("last=401d", null, "400 days (Limits:Range)"), ("last=2147483647d", null, "400 days"), ("from=1990-01-01&to=2199-12-31", null, "400 days"),
            ("from=2023-01-01&to=2024-02-06", null, "400 days"), ("last=7d&granularity=minute", "granularity", "10,000 points (Limits:Points)"),
            ("from=2014-01-01&to=2024-01-01&granularity=minute", null, "400 days"),
        ];
        foreach ((string query, string? field, string limit) in cases)
        {
            Answer answer = await loaded.Server.GetAsync("/v1/ads/a-0/clicks?" + query);
            Check(answer, 400, "range_too_large", field);
            Assert.Contains(limit, answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(400, (await loaded.AskAsync("/v1/ads/a-0/clicks?from=2023-01-01&to=2024-02-05&granularity=day")).Points.Length);
        Answer many = await loaded.PostAsync("/v1/ads/query", JsonSerializer.Serialize(new { ids = Enumerable.Range(0, 101).Select(n => $"a-{n}"), from = "2024-01-01", to = "2024-04-10", granularity = "day" }));
        Check(many, 400, "range_too_large", "granularity");
        Assert.Contains("10,000 points", many.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clicks_of_one_target_in_one_campaign_are_not_added_up()
    {
        string[] paths = ["/v1/ads/a-0/clicks", "/v1/ads", "/v1/ads/top", "/v1/clicks/total"];
        foreach (string path in paths)
        {
            Check(await loaded.Server.GetAsync(path + "?campaign_id=c-1"), 400, "rollup_not_enabled", "campaign_id");
        }
    }

    [Theory]
    [InlineData("/v1/banners/a-0/clicks")]
    [InlineData("/v1/ad/a-0/clicks")]
    [InlineData("/v1/ADS2/top")]
    [InlineData("/v1/ads/a-0")]
    [InlineData("/v1/videos/v-1/aggregated_count")]
    public async Task An_unknown_kind_is_404(string path) => Check(await loaded.Server.GetAsync(path), 404, "not_found", null);

    [Fact]
    public async Task Another_method_is_405()
    {
        Check(await loaded.PostAsync("/v1/clicks/total", "{}"), 405, "method_not_allowed", null);
        Check(await loaded.Server.GetAsync("/v1/ads/query"), 405, "method_not_allowed", null);
    }

    [Theory]
    [InlineData("", "malformed_json", null)]
    [InlineData("{", "malformed_json", null)]
    [InlineData("[]", "malformed_json", null)]
    [InlineData("null", "malformed_json", null)]
    [InlineData("\"a\"", "malformed_json", null)]
    [InlineData("""{"ids":["a"]} {}""", "malformed_json", null)]
    [InlineData("""{"ids":["a"],}""", "malformed_json", null)]
    [InlineData("""{"ids":["\ud800"]}""", "malformed_json", null)]
    [InlineData("""{"\ud800":1}""", "malformed_json", null)]
    [InlineData("""{"ids":["a"],"timezone":"\udc00"}""", "malformed_json", null)]
    [InlineData("{}", "invalid_parameter", "ids")]
    [InlineData("""{"ids":[]}""", "invalid_parameter", "ids")]
    [InlineData("""{"ids":"a"}""", "invalid_parameter", "ids")]
    [InlineData("""{"ids":{"a":1}}""", "invalid_parameter", "ids")]
    [InlineData("""{"ids":["a"],"ids":["b"]}""", "invalid_parameter", "ids")]
    [InlineData("""{"ids":["a"],"last":"20m","last":"30d"}""", "invalid_parameter", "last")]
    [InlineData("""{"ids":["a"],"last":20}""", "invalid_parameter", "last")]
    [InlineData("""{"ids":["a"],"last":null}""", "invalid_parameter", "last")]
    [InlineData("""{"ids":["a"],"last":"20"}""", "invalid_parameter", "last")]
    [InlineData("""{"ids":["a"],"timezone":"X"}""", "invalid_parameter", "timezone")]
    [InlineData("""{"ids":["a"],"group_by":"country"}""", "unknown_parameter", "group_by")]
    [InlineData("""{"ids":["a"],"lsat":"20m"}""", "unknown_parameter", "lsat")]
    [InlineData("""{"ids":["a"],"campaign_id":"c-1"}""", "rollup_not_enabled", "campaign_id")]
    public async Task A_body_that_is_not_right_is_refused(string body, string code, string? field)
    {
        string[] paths = ["/v1/ads/query", "/v1/campaigns/query"];
        foreach (string path in paths)
        {
            Check(await loaded.PostAsync(path, body), 400, code, field);
        }
    }

    [Theory]
    [InlineData("", "the body is empty;")]
    [InlineData(" \n", "the body is empty;")]
    [InlineData("{", "the body ends at byte 1,")]
    [InlineData("{\"ids\":[\"a\"", "the body ends at byte 11,")]
    [InlineData("{ids:[]}", "at byte 1;")]
    [InlineData("{\"ids\":[\"a\"],}", "at byte 13;")]
    [InlineData("{\r\n \"ids\": [\n\"a\" \"b\"]}", "at byte 17;")]
    [InlineData("\ufeff{ids:[]}", "at byte 4;")]
    [InlineData("{\"ids\":[\"a\"]} x", "at byte 14;")]
    public async Task A_body_that_is_no_JSON_is_told_where_it_is_none(string body, string where)
    {
        Answer answer = await loaded.PostAsync("/v1/ads/query", body);
        Check(answer, 400, "malformed_json", null);
        string detail = answer.Json.GetProperty("detail").GetString()!;
        Assert.Contains(where, detail, StringComparison.Ordinal);
        Assert.DoesNotContain("isFinalBlock", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"ids":["a","b","..",1]}""", 3)]
    [InlineData("""{"ids":["a","b",".."]}""", 2)]
    [InlineData("""{"ids":["","b"]}""", 0)]
    [InlineData("""{"ids":["a","b|c"]}""", 1)]
    [InlineData("""{"ids":["a",null]}""", 1)]
    public async Task A_bad_id_of_many_is_named_by_its_index(string body, int index)
    {
        Answer answer = await loaded.PostAsync("/v1/ads/query", body);
        Check(answer, 400, "invalid_parameter", "ids");
        Assert.Equal(index, answer.Json.GetProperty("errors")[0].GetProperty("index").GetInt32());
    }

    [Fact]
    public async Task A_body_has_bounds()
    {
        string[] ids = [.. Enumerable.Range(0, 1001).Select(n => $"a-{n}")];
        Answer tooMany = await loaded.PostAsync("/v1/ads/query", JsonSerializer.Serialize(new { ids }));
        Check(tooMany, 400, "invalid_parameter", "ids");
        Assert.Contains("1 to 1000", tooMany.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(1000, (await loaded.QueryAsync("/v1/ads/query", new { ids = ids[..1000] })).Json.GetProperty("items").GetArrayLength());

        byte[] large = Encoding.UTF8.GetBytes("{\"ids\":[\"" + new string('a', 256 * 1024) + "\"]}");
        Answer tooLarge = await loaded.PostAsync("/v1/ads/query", large);
        Check(tooLarge, 413, "body_too_large", null);
        Assert.Contains("256 KiB", tooLarge.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/v1/ads/query") { Content = new ByteArrayContent(large) };
        chunked.Headers.TransferEncodingChunked = true;
        chunked.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        Check(await Answer.ReadAsync(await loaded.Server.Client.SendAsync(chunked)), 413, "body_too_large", null);

        byte[] deep = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"ids\":", 10_000)));
        Check(await loaded.PostAsync("/v1/ads/query", deep), 400, "malformed_json", null);
        Check(await loaded.PostAsync("/v1/ads/query", [.. "{\"ids\":[\""u8, 0xff, 0xfe, .. "\"]}"u8]), 400, "malformed_json", null);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/x-ndjson")]
    [InlineData("")]
    public async Task Another_type_of_body_is_415_with_the_right_command(string type)
    {
        Answer answer = await loaded.PostAsync("/v1/ads/query", """{"ids":["a"]}""", type);
        Check(answer, 415, "unsupported_media_type", null);
        Assert.Contains($"curl -X POST {loaded.Server.Address.ToString().TrimEnd('/')}/v1/ads/query", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    /// <summary>RFC 9457, and the field in its place.</summary>
    internal static void Check(Answer answer, int status, string code, string? field)
    {
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}");
        Assert.Equal("application/problem+json", answer.Message.Content.Headers.ContentType!.MediaType);
        Assert.Equal((status, code), (answer.Json.GetProperty("status").GetInt32(), answer.Code));
        Assert.NotEmpty(answer.Json.GetProperty("title").GetString()!);
        Assert.NotEmpty(answer.Json.GetProperty("detail").GetString()!);
        Assert.True(answer.Message.Headers.CacheControl!.NoStore);
        if (field is not null)
        {
            JsonElement error = answer.Json.GetProperty("errors")[0];
            Assert.Equal((field, code), (error.GetProperty("field").GetString(), error.GetProperty("code").GetString()));
            Assert.NotEmpty(error.GetProperty("message").GetString()!);
        }
    }
}
