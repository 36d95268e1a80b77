using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>The description of the queries says what they take.</summary>
[Collection(nameof(LoadedServer))]
public class OpenApiTests(LoadedServer loaded)
{
    [Fact]
    public async Task Every_query_is_described()
    {
        JsonElement paths = (await loaded.Server.GetAsync("/openapi/v1.json")).Json.GetProperty("paths");
        var gets = new List<string> { "/v1/clicks/total", "/v1/ads/{id}/aggregated_count", "/v1/ads/popular_ads", "/v1/status" };
        string[] plurals = ["ads", "videos", "posts", "pages", "apps", "campaigns"];
        gets.AddRange(plurals.SelectMany(plural => (string[])[$"/v1/{plural}", $"/v1/{plural}/clicks", $"/v1/{plural}/{{id}}/clicks", $"/v1/{plural}/top"]));
        foreach (string path in gets)
        {
            JsonElement get = Operation(paths, path, "get");
            Assert.NotEmpty(get.GetProperty("summary").GetString()!);
            Assert.True(get.GetProperty("responses").TryGetProperty("200", out _), path);
            Assert.True(get.GetProperty("responses").TryGetProperty("400", out _), path);
            Assert.Equal(path.Contains("{id}", StringComparison.Ordinal), Parameters(get).Contains(("id", "path", true)));
        }

        Assert.Contains(("granularity", "query", false), Parameters(Operation(paths, "/v1/ads/{id}/clicks", "get")));
        Assert.Contains(("cursor", "query", false), Parameters(Operation(paths, "/v1/ads", "get")));
        foreach (string plural in plurals)
        {
            JsonElement body = Operation(paths, $"/v1/{plural}/query", "post").GetProperty("requestBody");
            Assert.True(body.GetProperty("required").GetBoolean());
            JsonElement schema = body.GetProperty("content").GetProperty("application/json").GetProperty("schema");
            Assert.Equal("object", schema.GetProperty("type").GetString());
            Assert.Equal("ids", schema.GetProperty("required")[0].GetString());
            JsonElement ids = schema.GetProperty("properties").GetProperty("ids");
            Assert.Equal(("array", "string", 1, 1000), (ids.GetProperty("type").GetString(), ids.GetProperty("items").GetProperty("type").GetString(), ids.GetProperty("minItems").GetInt32(), ids.GetProperty("maxItems").GetInt32()));
            Assert.Equal(["country", "device", "from", "granularity", "ids", "last", "period", "timezone", "to"],
                schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).Where(name => name != "campaign_id").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task No_parameter_is_described_that_is_refused()
    {
        JsonElement paths = (await loaded.Server.GetAsync("/openapi/v1.json")).Json.GetProperty("paths");
        foreach (JsonProperty path in paths.EnumerateObject().Where(path => path.Value.TryGetProperty("get", out _) && path.Name.StartsWith("/v1/", StringComparison.Ordinal) && !path.Name.StartsWith("/v1/r/", StringComparison.Ordinal)))
        {
            string[] names = [.. Parameters(path.Value.GetProperty("get")).Where(parameter => parameter.In == "query").Select(parameter => parameter.Name)];
            Answer answer = await loaded.Server.GetAsync($"{path.Name.Replace("{id}", "a-0", StringComparison.Ordinal)}?{string.Join('&', names.Select(name => name + "="))}");
            Assert.DoesNotContain("unknown_parameter", answer.Body, StringComparison.Ordinal);
        }
    }

    private static JsonElement Operation(JsonElement paths, string path, string method)
    {
        Assert.True(paths.TryGetProperty(path, out JsonElement item), $"{path} is not described");
        Assert.True(item.TryGetProperty(method, out JsonElement operation), $"{method} {path} is not described");
        return operation;
    }

    private static (string Name, string In, bool Required)[] Parameters(JsonElement operation) => operation.TryGetProperty("parameters", out JsonElement parameters)
        ? [.. parameters.EnumerateArray().Select(one => (one.GetProperty("name").GetString()!, one.GetProperty("in").GetString()!, one.TryGetProperty("required", out JsonElement required) && required.GetBoolean()))]
        : [];
}
