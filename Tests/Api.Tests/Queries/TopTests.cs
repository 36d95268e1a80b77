namespace ClickAggregator.Api.Tests.Queries;

/// <summary>The most clicked, and the two forms of interviews.</summary>
[Collection(nameof(LoadedServer))]
public class TopTests(LoadedServer loaded)
{
    [Theory]
    [InlineData("last=20m", 100)]
    [InlineData("last=7m", 3)]
    [InlineData("last=30d", 5)]
    [InlineData("last=90d", 1000)]
    [InlineData("last=30d&country=US", 4)]
    [InlineData("last=30d&device=mobile", 4)]
    [InlineData("last=2d&country=DE&device=desktop", 10)]
    [InlineData("from=2024-03-09T13:17:00Z&to=2024-03-11T01:02:00Z", 10)]
    [InlineData("from=2022-01-01&to=2022-02-01", 10)]
    public async Task The_most_clicked_of_every_kind_and_of_campaigns(string range, int limit)
    {
        (string Path, Func<TestClick, string?> Id)[] kinds =
        [
            ("ads", click => click.Kind == "ad" ? click.Target : null), ("videos", click => click.Kind == "video" ? click.Target : null),
            ("posts", click => click.Kind == "post" ? click.Target : null), ("pages", click => click.Kind == "page" ? click.Target : null),
            ("apps", click => click.Kind == "app" ? click.Target : null), ("campaigns", click => click.Campaign),
        ];
        foreach ((string path, Func<TestClick, string?> id) in kinds)
        {
            Counted answer = await loaded.AskAsync($"/v1/{path}/top?{range}&limit={limit}");
            IEnumerable<TestClick> clicks = answer.In(loaded.Clicks).Where(click =>
                (!range.Contains("country", StringComparison.Ordinal) || click.Country == (range.Contains("DE", StringComparison.Ordinal) ? "DE" : "US"))
                && (!range.Contains("device", StringComparison.Ordinal) || click.Device == (range.Contains("desktop", StringComparison.Ordinal) ? "desktop" : "mobile")));
            Assert.Equal(Rank(clicks, id).Take(limit), answer.Items);
            Assert.Equal(Enumerable.Range(1, answer.Items.Length), answer.Json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("rank").GetInt32()));
            Assert.Equal((true, 0), (answer.Json.GetProperty("exact").GetBoolean(), answer.Json.GetProperty("error_bound").GetInt64()));
        }
    }

    [Fact]
    public async Task A_hundred_unless_it_is_said()
    {
        Counted answer = await loaded.AskAsync("/v1/ads/top?from=2023-06-15&to=2023-06-16");
        Assert.Equal(Rank(answer.In(loaded.Clicks), click => click.Kind == "ad" ? click.Target : null).Take(100), answer.Items);
    }

    [Theory]
    [InlineData("")]
    [InlineData("country:US")]
    [InlineData("device:tv:4k")]
    public async Task Clicks_of_an_ad_in_the_last_minutes(string filter)
    {
        IEnumerable<TestClick> clicks = Filtered(loaded.Of("ad", "a-0"), filter);
        string tail = filter.Length > 0 ? "filter=" + filter : "";
        Counted minute = await loaded.AskAsync("/v1/ads/a-0/aggregated_count?" + tail);
        Assert.InRange(minute.To, Counted.Next(minute.Before).AddMinutes(-1), Counted.Next(minute.After).AddMinutes(-1));
        Assert.Equal(TimeSpan.FromMinutes(1), minute.To - minute.From);
        Check(minute);

        foreach (int minutes in (int[])[1, 5, 45, 1440])
        {
            DateTimeOffset to = Counted.Next(TimeProvider.System.GetUtcNow()), from = to.AddMinutes(-minutes);
            Counted range = await loaded.AskAsync($"/v1/ads/a-0/aggregated_count?from={from:yyyy-MM-ddTHH:mm:ssZ}&to={to:yyyy-MM-ddTHH:mm:ssZ}&{tail}");
            Assert.Equal((from, to), (range.From, range.To));
            Check(range);
        }

        void Check(Counted answer)
        {
            Assert.Equal("a-0", answer.Json.GetProperty("ad_id").GetString());
            Assert.Equal(answer.In(clicks).Count(), answer.Json.GetProperty("count").GetInt64());
        }
    }

    [Theory]
    [InlineData(100, 60, "")]
    [InlineData(3, 5, "")]
    [InlineData(10, 20, "country:us")]
    [InlineData(10, 50, "device:mobile")]
    [InlineData(5, 129_600, "")]
    public async Task The_most_clicked_ads_of_the_last_minutes(int count, int window, string filter)
    {
        Counted answer = await loaded.AskAsync($"/v1/ads/popular_ads?count={count}&window={window}{(filter.Length > 0 ? "&filter=" + filter : "")}");
        answer.CheckRolling(TimeSpan.FromMinutes(window));
        Assert.Equal(
            Rank(answer.In(Filtered(loaded.Of("ad"), filter)), click => click.Target).Take(count).Select(item => item.Id),
            answer.Json.GetProperty("ad_ids").EnumerateArray().Select(id => id.GetString()));
    }

    [Fact]
    public async Task The_most_clicked_ads_of_the_running_minute_unless_it_is_said()
    {
        Counted answer = await loaded.AskAsync("/v1/ads/popular_ads");
        answer.CheckRolling(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task The_most_clicked_ads_of_the_last_minutes_as_a_table()
    {
        Answer answer = await loaded.Server.GetAsync("/v1/ads/popular_ads?count=3&window=129600&format=csv");
        string[] rows = answer.Body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("rank,ad_id,clicks", rows[0]);
        Assert.Equal((await loaded.AskAsync("/v1/ads/popular_ads?count=3&window=129600")).Json.GetProperty("ad_ids").EnumerateArray().Select(id => id.GetString()), rows[1..].Select(row => row.Split(',')[1]));
        Assert.Equal("true", answer.Message.Headers.GetValues("X-Exact").Single());
    }

    private static IEnumerable<TestClick> Filtered(IEnumerable<TestClick> clicks, string filter) => filter switch
    {
        "" => clicks,
        "country:US" or "country:us" => clicks.Where(click => click.Country == "US"),
        "device:mobile" => clicks.Where(click => click.Device == "mobile"),
        _ => clicks.Where(click => click.Device == "tv:4k"),
    };

    private static IEnumerable<(string Id, long Clicks)> Rank(IEnumerable<TestClick> clicks, Func<TestClick, string?> id) => clicks
        .Select(id).OfType<string>().GroupBy(one => one).Select(group => (Id: group.Key, Clicks: (long)group.Count()))
        .OrderByDescending(item => item.Clicks).ThenBy(item => item.Id, StringComparer.Ordinal);
}
