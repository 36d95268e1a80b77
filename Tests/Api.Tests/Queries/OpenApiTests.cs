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
            Assert.Equal(["country", "device", "from", "granularity", "ids", "last", "period", "timezone", "to", "version"],
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
            Answer answer = await loaded.Server.GetAsync($"{Filled(path.Name)}?{string.Join('&', names.Select(name => name + "="))}");
            Assert.DoesNotContain("unknown_parameter", answer.Body, StringComparison.Ordinal);
        }
    }

    /// <summary>The answers are written by hand, so their description could say anything.</summary>
    [Theory]
    [InlineData("/v1/clicks/total", "/v1/clicks/total")]
    [InlineData("/v1/ads/clicks", "/v1/ads/clicks?last=6h&granularity=hour")]
    [InlineData("/v1/ads/{id}/clicks", "/v1/ads/a-0/clicks?last=6h&granularity=hour&country=US")]
    [InlineData("/v1/ads/{id}/clicks", "/v1/ads/a-0/clicks?last=6h&group_by=country")]
    [InlineData("/v1/campaigns/clicks", "/v1/campaigns/clicks")]
    [InlineData("/v1/ads", "/v1/ads?last=30d&limit=3")]
    [InlineData("/v1/ads/top", "/v1/ads/top?last=30d")]
    [InlineData("/v1/campaigns/top", "/v1/campaigns/top?last=30d")]
    [InlineData("/v1/ads/{id}/aggregated_count", "/v1/ads/a-0/aggregated_count")]
    [InlineData("/v1/ads/popular_ads", "/v1/ads/popular_ads?window=100")]
    [InlineData("/v1/status", "/v1/status")]
    public async Task An_answer_has_the_fields_that_its_description_names(string path, string url)
    {
        JsonElement document = (await loaded.Server.GetAsync("/openapi/v1.json")).Json;
        JsonElement schema = Operation(document.GetProperty("paths"), path, "get").GetProperty("responses").GetProperty("200")
            .GetProperty("content").GetProperty("application/json").GetProperty("schema");
        Answer answer = await loaded.Server.GetAsync(url);
        Assert.Equal(200, answer.Status);
        AssertDescribed(document, schema, answer.Json, url);
    }

    [Fact]
    public async Task A_table_is_described_where_there_is_one()
    {
        JsonElement paths = (await loaded.Server.GetAsync("/openapi/v1.json")).Json.GetProperty("paths");
        foreach (string path in (string[])["/v1/clicks/total", "/v1/ads", "/v1/ads/top", "/v1/status", "/v1/ads/popular_ads", "/v1/ads/{id}/aggregated_count"])
        {
            JsonElement get = Operation(paths, path, "get");
            bool described = get.GetProperty("responses").GetProperty("200").GetProperty("content").TryGetProperty("text/csv", out _);
            Assert.Equal(Parameters(get).Any(parameter => parameter.Name == "format"), described);
        }
    }

    [Fact]
    public async Task A_click_is_described_as_it_is_parsed()
    {
        JsonElement document = (await loaded.Server.GetAsync("/openapi/v1.json")).Json;
        JsonElement post = Operation(document.GetProperty("paths"), "/v1/clicks", "post");
        Assert.Contains(("Idempotency-Key", "header", false), Parameters(post));
        JsonElement content = post.GetProperty("requestBody").GetProperty("content");
        Assert.True(content.TryGetProperty("application/json", out _));
        JsonElement click = content.GetProperty("application/x-ndjson").GetProperty("schema");
        Assert.Contains("Exactly one of ad_id", click.GetProperty("description").GetString(), StringComparison.Ordinal);
        string[] fields = [.. click.GetProperty("properties").EnumerateObject().Select(property => property.Name)];
        Assert.Equal(13, fields.Length);
        Assert.Equal(
            ["integer", "null", "string"],
            click.GetProperty("properties").GetProperty("timestamp").GetProperty("type").EnumerateArray().Select(type => type.GetString()).Order(StringComparer.Ordinal));
        foreach (string field in fields)
        {
            // A field that the parser did not know it would let pass.
            Answer answer = await loaded.Server.PostAsync($"{{{(field == "ad_id" ? "" : "\"ad_id\":\"x\",")}\"{field}\":false}}");
            Assert.Equal(422, answer.Status);
            Assert.Contains(field, answer.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_redirect_and_the_health_are_described()
    {
        JsonElement paths = (await loaded.Server.GetAsync("/openapi/v1.json")).Json.GetProperty("paths");
        JsonElement redirect = Operation(paths, "/v1/r/{kind}/{id}", "get");
        Assert.Equal(["campaign_id", "exp", "id", "kind", "sig", "to"], Parameters(redirect).Select(parameter => parameter.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["302", "400", "403", "404"], redirect.GetProperty("responses").EnumerateObject().Select(answer => answer.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["200", "503"], Operation(paths, "/health/ready", "get").GetProperty("responses").EnumerateObject().Select(answer => answer.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Each_call_names_the_scope_that_its_key_has_to_have()
    {
        JsonElement document = (await loaded.Server.GetAsync("/openapi/v1.json")).Json;
        JsonElement scheme = document.GetProperty("components").GetProperty("securitySchemes").GetProperty("key");
        Assert.Equal(("http", "bearer"), (scheme.GetProperty("type").GetString(), scheme.GetProperty("scheme").GetString()));
        foreach (JsonProperty path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (JsonProperty method in path.Value.EnumerateObject())
            {
                bool isPublic = path.Name.StartsWith("/health/", StringComparison.Ordinal) || path.Name.StartsWith("/v1/r/", StringComparison.Ordinal);
                string[] scopes = method.Value.TryGetProperty("security", out JsonElement security)
                    ? [.. security[0].GetProperty("key").EnumerateArray().Select(scope => scope.GetString()!)]
                    : [];
                Assert.Equal(isPublic ? [] : [ScopeOf(path.Name, method.Name)], scopes);
                Assert.Equal(!isPublic, method.Value.GetProperty("responses").TryGetProperty("401", out _));
            }
        }
    }

    [Fact]
    public async Task The_dashboard_is_no_part_of_the_api() => Assert.DoesNotContain(
        (await loaded.Server.GetAsync("/openapi/v1.json")).Json.GetProperty("paths").EnumerateObject(),
        path => path.Name.StartsWith("/dashboard", StringComparison.Ordinal));

    /// <summary>A path with something in each of its parts.</summary>
    private static string Filled(string path) =>
        path.Replace("{id}", "a-0", StringComparison.Ordinal).Replace("{month}", "2026-10", StringComparison.Ordinal).Replace("{click_id}", "k-0", StringComparison.Ordinal);

    // What changes numbers that are final, and what names users.
    private static string ScopeOf(string path, string method) =>
        path == "/v1/clicks" ? "ingest"
        : path.StartsWith("/v1/invalidations", StringComparison.Ordinal) || path.StartsWith("/v1/erasures", StringComparison.Ordinal) || path.EndsWith("/close", StringComparison.Ordinal) || (path == "/v1/reconciliations" && method == "post") ? "admin"
        : "read";

    private static void AssertDescribed(JsonElement document, JsonElement schema, JsonElement value, string at)
    {
        if (schema.TryGetProperty("oneOf", out JsonElement oneOf))
        {
            if (value.ValueKind == JsonValueKind.Null)
            {
                return;
            }

            schema = oneOf.EnumerateArray().Single(one => one.TryGetProperty("$ref", out _));
        }

        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            schema = document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1]);
        }

        string name = value.ValueKind switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
            JsonValueKind.Null => "null",
            _ => "boolean",
        };
        JsonElement type = schema.GetProperty("type");
        string[] types = type.ValueKind == JsonValueKind.String ? [type.GetString()!] : [.. type.EnumerateArray().Select(one => one.GetString()!)];
        Assert.True(types.Contains(name) || (name == "integer" && types.Contains("number")), $"{at} is {name} and described as {string.Join('|', types)}");
        if (name == "array")
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                AssertDescribed(document, schema.GetProperty("items"), item, at + "[]");
            }
        }
        else if (name == "object" && schema.TryGetProperty("properties", out JsonElement properties))
        {
            foreach (JsonProperty property in value.EnumerateObject())
            {
                Assert.True(properties.TryGetProperty(property.Name, out JsonElement described), $"{at}.{property.Name} is not described");
                AssertDescribed(document, described, property.Value, $"{at}.{property.Name}");
            }

            foreach (JsonElement required in schema.TryGetProperty("required", out JsonElement names) ? names.EnumerateArray() : default)
            {
                Assert.True(value.TryGetProperty(required.GetString()!, out _), $"{at} has no {required}, which is said to be there");
            }
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
