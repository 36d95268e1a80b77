using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>Ids that are none, in every place of a query.</summary>
[Collection(nameof(LoadedServer))]
public class HostileIdTests(LoadedServer loaded)
{
    public static TheoryData<string> Ids => new()
    {
        new string('x', 129), new string('x', 5000), "a/../b", "..\\..", "';--", "a' OR '1'='1", "a|country:US", "a@1", "\u202Egpj.exe", "\u200F", "a\r\nSet-Cookie: x=1", "a\nb", "a\tb",
        "a b", "<script>", "%2e%2e", "%00", "\u00E9", "\uD83D\uDE00", "ａ", "a,b", "\"", "*", "a%", "_%_'", "a\u007F",
    };

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Are_refused_as_ids(string id)
    {
        string escaped = Uri.EscapeDataString(id);
        string[] paths = [$"/v1/ads/{escaped}/clicks", $"/v1/campaigns/{escaped}/clicks?last=30d", $"/v1/ads/{escaped}/aggregated_count"];
        foreach (string path in paths)
        {
            Answer answer = await loaded.Server.GetAsync(path);
            QueryErrorTests.Check(answer, 400, "invalid_parameter", "id");
            CheckHeaders(answer);
        }

        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads?cursor=" + escaped), 400, "invalid_parameter", "cursor");
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads/a-0/clicks?device=" + escaped), 400, "invalid_parameter", "device");
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads/a-0/clicks?country=" + escaped), 400, "invalid_parameter", "country");
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads/a-0/clicks?timezone=" + escaped), 400, "invalid_parameter", "timezone");
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads/popular_ads?filter=device:" + escaped), 400, "invalid_parameter", "device");
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads/a-0/clicks?from=" + escaped), 400, "invalid_parameter", "from");
        Answer unknown = await loaded.Server.GetAsync($"/v1/clicks/total?{escaped}=1");
        QueryErrorTests.Check(unknown, 400, "unknown_parameter", id);
        CheckHeaders(unknown);
        QueryErrorTests.Check(await loaded.PostAsync("/v1/ads/query", JsonSerializer.Serialize(new { ids = (string[])[id] })), 400, "invalid_parameter", "ids");
    }

    // Paths that a client would tidy up before it sends them.
    [Theory]
    [InlineData("/v1/ads/../clicks", 405)]
    [InlineData("/v1/ads/%2e%2e/clicks", 405)]
    [InlineData("/v1/ads/./clicks", 200)]
    [InlineData("/v1/ads/%2e/clicks", 200)]
    [InlineData("/v1/ads/../../etc/passwd", 404)]
    [InlineData("/v1/ads/..%2f..%2fetc%2fpasswd/clicks", 400)]
    [InlineData("/v1/ads/..%5c..%5cx/clicks", 400)]
    [InlineData("/v1/ads/%252e%252e/clicks", 400)]
    [InlineData("/v1/ads/a%00b/clicks", 400)]
    [InlineData("/v1/ads/%ff%fe/clicks", 400)]
    [InlineData("/v1/ads/%c0%ae%c0%ae/clicks", 400)]
    [InlineData("/v1/ads//clicks", 404)]
    [InlineData("/v1/ads/%0d%0aX-Evil:%201/clicks", 400)]
    [InlineData("/v1/ads/%E2%80%AEx/clicks", 400)]
    public async Task Raw_paths_lead_nowhere(string path, int status)
    {
        string answer = await loaded.Server.RawAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Evil", answer.Split("\r\n\r\n")[0], StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
    }

    private static void CheckHeaders(Answer answer)
    {
        Assert.False(answer.Message.Headers.Contains("Set-Cookie"));
        Assert.Equal("nosniff", answer.Message.Headers.GetValues("X-Content-Type-Options").Single());
    }
}
