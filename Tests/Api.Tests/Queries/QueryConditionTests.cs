using System.Text.Json;
using ClickAggregator.Adapters.Sqlite;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>What queries answer when the store fails, minutes are gone, rollups are few and limits are small.</summary>
public class QueryConditionTests(QueryConditionTests.FailingServer failing) : IClassFixture<QueryConditionTests.FailingServer>
{
    // As it was at the start, whatever a test before this one left.
    private readonly FailingReader _reader = failing.Restored();

    private ApiServer Server => failing.Server;

    public static TheoryData<string> Faults => new() { "io", "timeout", "damaged", "sqlite" };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_store_that_fails_is_503_and_clicks_are_still_accepted(string fault)
    {
        string ad = "failing-" + fault;
        await Server.PostAsync($$"""{"click_id":"{{ad}}-1","ad_id":"{{ad}}"}""");
        await LoadedServer.CountedAsync(Server);
        Assert.Equal(200, (await Server.GetAsync($"/v1/ads/{ad}/clicks")).Status);

        _reader.Fault = fault switch
        {
            "io" => new IOException("secret words"),
            "timeout" => new TimeoutException("secret words"),
            "damaged" => new StoreUnusableException("secret words"),
            _ => new SqliteException("secret words", 14),
        };
        string[] paths = ["/v1/clicks/total", "/v1/ads/a/clicks", "/v1/ads", "/v1/ads/top", "/v1/campaigns/top", "/v1/ads/a/aggregated_count", "/v1/ads/popular_ads"];
        foreach (string path in paths)
        {
            Answer answer = await Server.GetAsync(path);
            QueryErrorTests.Check(answer, 503, "store_unavailable", null);
            Assert.NotNull(answer.Message.Headers.RetryAfter);
            Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
        }

        Assert.Equal(202, (await Server.PostAsync($$"""{"click_id":"{{ad}}-2","ad_id":"{{ad}}"}""")).Status);
        Assert.Equal(200, (await Server.GetAsync("/health/ready")).Status);
        _reader.Fault = null;
        await LoadedServer.CountedAsync(Server);
        Assert.Equal(2, (await Server.GetAsync($"/v1/ads/{ad}/clicks")).Json.GetProperty("clicks").GetInt64());
    }

    [Fact]
    public async Task A_fault_of_the_program_is_no_fault_of_the_store()
    {
        _reader.Fault = new InvalidOperationException("secret words");
        Answer answer = await Server.GetAsync("/v1/clicks/total");
        Assert.Equal((500, "internal_error"), (answer.Status, answer.Code));
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_minutes_are_gone_the_range_is_widened_to_quarters_and_points_by_minute_are_refused()
    {
        DateTimeOffset floor = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
        _reader.MinutesFloor = (int)(floor.ToUnixTimeSeconds() / 3600);

        Answer widened = await Server.GetAsync("/v1/clicks/total?from=2024-05-01T11:20:00Z&to=2024-05-01T11:31:00Z");
        Assert.Equal(("2024-05-01T11:15:00Z", "2024-05-01T11:45:00Z"), (widened.Json.GetProperty("from").GetString(), widened.Json.GetProperty("to").GetString()));
        Answer half = await Server.GetAsync("/v1/clicks/total?from=2024-05-01T11:20:00Z&to=2024-05-01T12:31:00Z&granularity=hour");
        Assert.Equal(("2024-05-01T11:15:00Z", "2024-05-01T12:31:00Z"), (half.Json.GetProperty("from").GetString(), half.Json.GetProperty("to").GetString()));
        Assert.Equal(["2024-05-01T11:15:00Z", "2024-05-01T12:00:00Z"], half.Json.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("start").GetString()));

        string[] paths = ["/v1/clicks/total", "/v1/ads/a/clicks", "/v1/campaigns/clicks"];
        foreach (string path in paths)
        {
            Answer answer = await Server.GetAsync(path + "?from=2024-05-01T11:59:00Z&to=2024-05-01T12:10:00Z&granularity=minute");
            QueryErrorTests.Check(answer, 400, "granularity_unavailable", "granularity");
            Assert.Contains("2024-05-01T12:00:00Z", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Equal(200, (await Server.GetAsync(path + "?from=2024-05-01T12:00:00Z&to=2024-05-01T12:10:00Z&granularity=minute")).Status);
        }
    }

    [Fact]
    public async Task What_is_not_added_up_names_the_setting()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Rollups=target", "--Rollups=target|country");
        (string Path, string Needed)[] cases =
        [
            ("/v1/clicks/total", "total"), ("/v1/ads/clicks", "kind"), ("/v1/ads/a/clicks?device=mobile", "target|device"),
            ("/v1/ads/a/clicks?group_by=device", "target|device"), ("/v1/ads/a/clicks?group_by=device&country=US", "target|country|device"),
            ("/v1/campaigns/c/clicks", "campaign"), ("/v1/campaigns/top", "campaign"), ("/v1/campaigns", "campaign"), ("/v1/campaigns/clicks", "campaign"),
            ("/v1/ads/top?device=mobile", "target|device"), ("/v1/ads?device=mobile", "target|device"), ("/v1/ads/popular_ads?filter=device:mobile", "target|device"),
        ];
        foreach ((string path, string needed) in cases)
        {
            Answer answer = await server.GetAsync(path);
            QueryErrorTests.Check(answer, 400, "rollup_not_enabled", null);
            Assert.Contains($"the rollup {needed} (the setting Rollups", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(200, (await server.GetAsync("/v1/ads/a/clicks?group_by=country")).Status);
        Assert.Equal(200, (await server.GetAsync("/v1/ads/top?country=US")).Status);
    }

    [Fact]
    public async Task The_limits_are_those_of_the_settings()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Limits:Points=24", "--Limits:Range=10 d");
        Answer long_ = await server.GetAsync("/v1/clicks/total?last=11d");
        QueryErrorTests.Check(long_, 400, "range_too_large", null);
        Assert.Contains("10 days (Limits:Range)", long_.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Answer points = await server.GetAsync("/v1/clicks/total?last=25m&granularity=minute");
        QueryErrorTests.Check(points, 400, "range_too_large", "granularity");
        Assert.Contains("24 points (Limits:Points)", points.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(200, (await server.GetAsync("/v1/clicks/total?last=24m&granularity=minute")).Status);
        QueryErrorTests.Check(await server.GetAsync("/v1/ads/popular_ads?window=14401"), 400, "invalid_parameter", "window");
        Assert.Equal(200, (await server.GetAsync("/v1/ads/popular_ads?window=14400")).Status);
    }

    [Fact]
    public async Task Beyond_256_values_the_rest_is_other_and_the_sum_is_right()
    {
        await using ApiServer server = await ApiServer.StartAsync(LoadedServer.AllRollups);
        List<(string Id, string? Device)> clicks = [.. Enumerable.Range(0, 1300).SelectMany(n => Enumerable.Range(0, n < 100 ? 3 : 1).Select(again => ($"{n}-{again}", (string?)$"d-{n:0000}"))), ("none-1", null), ("none-2", null)];
        await server.PostAsync(string.Join('\n', clicks.Select(click => JsonSerializer.Serialize(new { click_id = click.Id, ad_id = "a", device = click.Device }))), "application/x-ndjson");
        await LoadedServer.CountedAsync(server);

        Answer answer = await server.GetAsync("/v1/ads/a/clicks?group_by=device");
        (string?, long)[] groups = [.. answer.Json.GetProperty("groups").EnumerateArray().Select(group => (group.GetProperty("value").GetString(), group.GetProperty("clicks").GetInt64()))];
        (string?, long)[] largest = [.. clicks.GroupBy(click => click.Device).Select(group => (group.Key, (long)group.Count()))
            .OrderByDescending(group => group.Item2).ThenBy(group => group.Key, StringComparer.Ordinal).Take(256)];
        Assert.Equal([.. largest, ("other", clicks.Count - largest.Sum(group => group.Item2))], groups);
        Assert.Equal(clicks.Count, answer.Json.GetProperty("clicks").GetInt64());
    }

    /// <summary>A server whose reader of counts fails on demand, for all tests.</summary>
    public sealed class FailingServer : IAsyncLifetime
    {
        private FailingReader? _reader;
        private ApiServer? _server;

        internal ApiServer Server => _server!;

        public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(services => _reader = FailingReader.Wrap(services));

        public ValueTask DisposeAsync() => Server.DisposeAsync();

        internal FailingReader Restored()
        {
            _reader!.Fault = null;
            _reader.MinutesFloor = null;
            _reader.SetAside = false;
            return _reader;
        }
    }
}
