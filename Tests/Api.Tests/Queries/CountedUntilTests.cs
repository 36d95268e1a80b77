using System.Text.Json;
using ClickAggregator.Api.Queries;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>What an answer says of itself holds while clicks come in.</summary>
public class CountedUntilTests
{
    [Fact]
    public async Task What_was_acknowledged_before_counted_until_is_in_the_counts()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Batch:Interval=20 ms");
        int posted = 0;
        for (int round = 0; round < 10; round++)
        {
            // Many ads, so that every partition has some.
            Answer answer = await server.PostAsync(string.Join('\n', Enumerable.Range(0, 40).Select(n => $$"""{"click_id":"{{round}}-{{n}}","ad_id":"a-{{n}}","campaign_id":"c-{{n % 3}}"}""")), "application/x-ndjson");
            Assert.Equal(40, answer.Accepted);
            posted += 40;
            long acknowledged = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            string[] paths = ["/v1/clicks/total?last=1h", "/v1/ads/clicks?last=1h&granularity=minute", "/v1/campaigns/clicks?last=1h", "/v1/ads?last=1h", "/v1/ads/top?last=1h", "/v1/campaigns/top?last=1h"];
            foreach (string path in paths)
            {
                using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
                JsonElement json;
                do
                {
                    Assert.False(deadline.IsCancellationRequested, path);
                    json = (await server.GetAsync(path)).Json;
                }
                while (json.GetProperty("counted_until").ValueKind != JsonValueKind.String
                    || Counted.Time(json.GetProperty("counted_until")).ToUnixTimeMilliseconds() <= acknowledged);

                long clicks = json.TryGetProperty("clicks", out JsonElement sum) ? sum.GetInt64()
                    : json.GetProperty("items").EnumerateArray().Sum(item => item.GetProperty("clicks").GetInt64());
                Assert.Equal((path, posted), (path, clicks));
            }
        }
    }

    [Fact]
    public async Task Points_and_groups_add_up_while_clicks_come_in_and_no_count_falls()
    {
        await using ApiServer server = await ApiServer.StartAsync([.. LoadedServer.AllRollups, "--Batch:Interval=10 ms"]);
        string[] countries = ["US", "DE", ""];
        Task posting = Task.Run(async () =>
        {
            for (int round = 0; round < 60; round++)
            {
                await server.PostAsync(string.Join('\n', Enumerable.Range(0, 50).Select(n => $$"""{"click_id":"{{round}}-{{n}}","ad_id":"a-{{n % 7}}","country":"{{countries[n % 3]}}"}""")), "application/x-ndjson");
            }
        });
        long last = 0;
        int asked = 0;
        while (!posting.IsCompleted || asked < 5)
        {
            JsonElement points = (await server.GetAsync("/v1/clicks/total?last=1h&granularity=minute")).Json;
            Assert.Equal(points.GetProperty("clicks").GetInt64(), points.GetProperty("points").EnumerateArray().Sum(point => point.GetProperty("clicks").GetInt64()));
            JsonElement groups = (await server.GetAsync("/v1/clicks/total?last=1h&group_by=country")).Json;
            Assert.Equal(groups.GetProperty("clicks").GetInt64(), groups.GetProperty("groups").EnumerateArray().Sum(group => group.GetProperty("clicks").GetInt64()));
            long clicks = points.GetProperty("clicks").GetInt64();
            Assert.InRange(clicks, last, 3000);
            last = clicks;
            asked++;
        }

        await posting;
        await LoadedServer.CountedAsync(server);
        Assert.Equal(3000, (await server.GetAsync("/v1/clicks/total?last=1h")).Json.GetProperty("clicks").GetInt64());
        JsonElement[] all = [.. (await server.GetAsync("/v1/clicks/total?last=1h&group_by=country")).Json.GetProperty("groups").EnumerateArray()];
        Assert.Equal([(null, 60 * 16), ("DE", 60 * 17), ("US", 60 * 17)],
            all.Select(group => (group.GetProperty("value").GetString(), group.GetProperty("clicks").GetInt32())).OrderBy(group => group.Item1, StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_ranking_that_may_leave_somebody_out_says_how_many_clicks_that_one_may_have()
    {
        await using ApiServer server = await ApiServer.StartAsync("--ClickLog:Partitions=1", "--Limits:Clicks=20000");
        int[] clicks = [.. Enumerable.Range(0, 5000).Select(n => n < 5 ? 10 - n : 1)];
        await server.PostAsync(string.Join('\n', clicks.SelectMany((count, ad) => Enumerable.Range(0, count).Select(n => $$"""{"click_id":"{{ad}}-{{n}}","ad_id":"a-{{ad:0000}}","timestamp":"2024-05-01T12:30:00Z"}"""))), "application/x-ndjson");
        await LoadedServer.CountedAsync(server);
        const string range = "from=2024-05-01T12:00:00Z&to=2024-05-01T13:00:00Z";
        JsonElement first = (await server.GetAsync($"/v1/ads/top?{range}&limit=5")).Json;
        Assert.Equal((true, 0), (first.GetProperty("exact").GetBoolean(), first.GetProperty("error_bound").GetInt64()));
        Assert.Equal(["a-0000", "a-0001", "a-0002", "a-0003", "a-0004"], first.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()));
        JsonElement more = (await server.GetAsync($"/v1/ads/top?{range}&limit=6")).Json;
        Assert.False(more.GetProperty("exact").GetBoolean());
        Assert.InRange(more.GetProperty("error_bound").GetInt64(), 1, 5);
        Assert.All(more.GetProperty("items").EnumerateArray(), item =>
            Assert.Equal(clicks[int.Parse(item.GetProperty("id").GetString()![2..], System.Globalization.CultureInfo.InvariantCulture)], item.GetProperty("clicks").GetInt64()));
    }

    [Fact]
    public async Task A_row_that_is_set_aside_makes_the_answer_incomplete()
    {
        FailingReader? reader = null;
        await using ApiServer server = await ApiServer.StartAsync(services => reader = FailingReader.Wrap(services));
        await server.PostAsync("""{"click_id":"1","ad_id":"a","campaign_id":"c"}""");
        await LoadedServer.CountedAsync(server);
        reader!.SetAside = true;
        string[] paths = ["/v1/clicks/total", "/v1/ads/a/clicks?last=30d", "/v1/ads", "/v1/ads/top", "/v1/campaigns/top", "/v1/campaigns/clicks", "/v1/ads/popular_ads?window=20"];
        foreach (string path in paths)
        {
            Assert.True((await server.GetAsync(path)).Json.TryGetProperty("incomplete", out JsonElement incomplete), path);
            Assert.True(incomplete.GetBoolean());
        }
    }

    [Fact]
    public async Task The_status_shows_partitions_and_sources_and_answers_say_how_many_are_stale()
    {
        SourceView[] sources = [new("a.log", 10, 5, 31, 1_700_000_000_123, 2, "reading"), new("b.log", 7, 0, 0, null, 0, "waiting")];
        await using ApiServer server = await ApiServer.StartAsync(services => services.AddSingleton(new SourceList(() => sources)), "--ClickLog:Partitions=3");
        await server.PostAsync("""[{"click_id":"1","ad_id":"a"},{"click_id":"2","ad_id":"b"}]""");
        await LoadedServer.CountedAsync(server);
        JsonElement status = (await server.GetAsync("/v1/status")).Json;
        JsonElement[] partitions = [.. status.GetProperty("partitions").EnumerateArray()];
        Assert.Equal([0, 1, 2], partitions.Select(one => one.GetProperty("partition").GetInt32()));
        Assert.Equal(2, partitions.Sum(one => one.GetProperty("end").GetInt64()));
        Assert.All(partitions, one => Assert.Equal((one.GetProperty("end").GetInt64(), 0), (one.GetProperty("next").GetInt64(), one.GetProperty("lag").GetInt64())));
        Assert.True(Guid.TryParse(status.GetProperty("log_id").GetString(), out _));
        JsonElement first = status.GetProperty("sources")[0];
        Assert.Equal(("a.log", 10, 5, 31.0, "2023-11-14T22:13:20.123Z", 2, "reading"), (
            first.GetProperty("source").GetString(), first.GetProperty("position").GetInt64(), first.GetProperty("bytes_behind").GetInt64(), first.GetProperty("seconds_behind").GetDouble(),
            first.GetProperty("last_seen").GetString(), first.GetProperty("bad_lines").GetInt64(), first.GetProperty("state").GetString()));
        Assert.Equal(JsonValueKind.Null, status.GetProperty("sources")[1].GetProperty("last_seen").ValueKind);
        Assert.Equal(1, (await server.GetAsync("/v1/clicks/total")).Json.GetProperty("sources_stale").GetInt32());
    }
}
