using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>How often one thing was clicked, against a recount of the clicks that were posted.</summary>
[Collection(nameof(LoadedServer))]
public class CountTests(LoadedServer loaded)
{
    public static TheoryData<string, int> Rolling => new() { { "", 20 }, { "last=1m", 1 }, { "last=20m", 20 }, { "last=6h", 360 }, { "last=30d", 43_200 }, { "last=90d", 129_600 } };

    [Theory]
    [MemberData(nameof(Rolling))]
    public async Task Rolling_ranges_of_all_of_a_kind_and_of_one_end_at_the_next_full_minute(string range, int minutes)
    {
        (string Path, IEnumerable<TestClick> Clicks)[] subjects =
        [
            ("/v1/clicks/total", loaded.Clicks),
            ("/v1/ads/clicks", loaded.Of("ad")), ("/v1/videos/clicks", loaded.Of("video")), ("/v1/posts/clicks", loaded.Of("post")),
            ("/v1/pages/clicks", loaded.Of("page")), ("/v1/apps/clicks", loaded.Of("app")),
            ("/v1/ads/a-0/clicks", loaded.Of("ad", "a-0")), ("/v1/videos/v-1/clicks", loaded.Of("video", "v-1")), ("/v1/posts/p-0/clicks", loaded.Of("post", "p-0")),
            ("/v1/pages/p-0/clicks", loaded.Of("page", "p-0")), ("/v1/apps/a-0/clicks", loaded.Of("app", "a-0")),
            ("/v1/campaigns/c-2/clicks", loaded.Clicks.Where(click => click.Campaign == "c-2")),
        ];
        foreach ((string path, IEnumerable<TestClick> clicks) in subjects)
        {
            Counted answer = await loaded.AskAsync($"{path}?{range}");
            answer.CheckRolling(TimeSpan.FromMinutes(minutes));
            Assert.Equal(answer.In(clicks).Count(), answer.Clicks);
            Assert.Equal("UTC", answer.Json.GetProperty("timezone").GetString());
            Assert.False(answer.Json.TryGetProperty("points", out _));
        }
    }

    [Theory]
    [InlineData("last=20m&granularity=minute", 20)]
    [InlineData("last=6h&granularity=minute", 360)]
    [InlineData("last=7d&granularity=minute&timezone=Asia/Kolkata", 10_080, true)]
    [InlineData("last=5d&granularity=minute", 7_200)]
    [InlineData("from=2023-06-14&to=2023-06-17&granularity=hour", 72)]
    [InlineData("from=2023-06-14&to=2023-06-17&granularity=day", 3)]
    [InlineData("from=2023-06-14T23:59:00Z&to=2023-06-15T00:03:00Z&granularity=minute", 4)]
    [InlineData("from=2023-06-14T23:17:00Z&to=2023-06-15T02:01:00Z&granularity=hour", 4)]
    [InlineData("from=2023-06-14T23:17:00Z&to=2023-06-16T02:01:00Z&granularity=day", 3)]
    [InlineData("from=2022-01-01&to=2022-02-01&granularity=day", 31)]
    public async Task Points_are_zero_filled_and_add_up(string range, int points, bool tooMany = false)
    {
        string[] paths = ["/v1/clicks/total", "/v1/ads/clicks", "/v1/ads/border/clicks"];
        foreach (string path in paths)
        {
            if (tooMany)
            {
                Assert.Equal(400, (await loaded.Server.GetAsync($"{path}?{range}")).Status);
                continue;
            }

            Counted answer = await loaded.AskAsync($"{path}?{range}");
            Assert.Equal(points, answer.Points.Length);
            IEnumerable<TestClick> clicks = path.Contains("border", StringComparison.Ordinal) ? loaded.Of("ad", "border") : path.Contains("ads", StringComparison.Ordinal) ? loaded.Of("ad") : loaded.Clicks;
            Assert.Equal(answer.In(clicks).Count(), answer.Clicks);
            answer.CheckPoints(clicks);
            Assert.All(answer.Json.GetProperty("points").EnumerateArray(), point => Assert.Contains(point.GetProperty("final").ValueKind, (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]));
        }
    }

    [Fact]
    public async Task A_range_is_half_open_and_widened_to_whole_minutes()
    {
        // The four clicks of this ad stand at the borders of a minute.
        (string Range, string From, string To, int Clicks)[] cases =
        [
            ("from=2023-06-15T00:00:00Z&to=2023-06-15T00:01:00Z", "2023-06-15T00:00:00Z", "2023-06-15T00:01:00Z", 2),
            ("from=2023-06-15T00:00:59.999Z&to=2023-06-15T00:01:00Z", "2023-06-15T00:00:00Z", "2023-06-15T00:01:00Z", 2),
            ("from=2023-06-15T00:00:00Z&to=2023-06-15T00:00:00.001Z", "2023-06-15T00:00:00Z", "2023-06-15T00:01:00Z", 2),
            ("from=2023-06-14T23:59:00Z&to=2023-06-15T00:02:00Z", "2023-06-14T23:59:00Z", "2023-06-15T00:02:00Z", 4),
            ("from=2023-06-15T02:00:00%2B02:00&to=2023-06-15T02:01:00%2B02:00", "2023-06-15T00:00:00Z", "2023-06-15T00:01:00Z", 2),
            ("from=2023-06-15&to=2023-06-15T00:01Z", "2023-06-15T00:00:00Z", "2023-06-15T00:01:00Z", 2),
            ("from=2023-06-14&to=2023-06-15", "2023-06-14T00:00:00Z", "2023-06-15T00:00:00Z", 1),
        ];
        foreach ((string range, string from, string to, int clicks) in cases)
        {
            Counted answer = await loaded.AskAsync("/v1/ads/border/clicks?" + range);
            Assert.Equal((from, to), (answer.Json.GetProperty("from").GetString(), answer.Json.GetProperty("to").GetString()));
            Assert.Equal(clicks, answer.In(loaded.Of("ad", "border")).Count());
            Assert.Equal(clicks, answer.Clicks);
        }
    }

    [Fact]
    public async Task From_without_to_ends_at_the_next_full_minute()
    {
        DateTimeOffset from = Counted.Next(TimeProvider.System.GetUtcNow()) - TimeSpan.FromDays(3);
        Counted answer = await loaded.AskAsync($"/v1/clicks/total?from={from:yyyy-MM-ddTHH:mm:ssZ}");
        Assert.Equal(from, answer.From);
        Assert.InRange(answer.To, Counted.Next(answer.Before), Counted.Next(answer.After));
        Assert.Equal(answer.In(loaded.Clicks).Count(), answer.Clicks);
    }

    [Theory]
    [InlineData("UTC")]
    [InlineData("Asia/Kolkata")]
    [InlineData("America/New_York")]
    public async Task Periods_are_whole_days_of_the_zone(string timezone)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(timezone);
        string[] periods = ["today", "yesterday", "last_7_days", "last_30_days", "last_90_days", "this_month", "last_month"];
        foreach (string period in periods)
        {
            Counted answer = await loaded.AskAsync($"/v1/clicks/total?period={period}&timezone={timezone}&granularity=day");

            // A midnight may pass while it is asked.
            Assert.Contains(answer.From, (DateTimeOffset[])[Days(answer.Before).From, Days(answer.After).From]);
            Assert.True(answer.To == Days(answer.Before).To || answer.To == Days(answer.After).To, $"{period} ends at {answer.To}");
            Assert.Equal(answer.In(loaded.Clicks).Count(), answer.Clicks);
            answer.CheckPoints(loaded.Clicks);
            Assert.All(answer.Points, point => Assert.Equal(TimeSpan.Zero, point.Start.TimeOfDay));

            (DateTimeOffset From, DateTimeOffset To) Days(DateTimeOffset now)
            {
                DateTime today = TimeZoneInfo.ConvertTime(now, zone).Date;
                DateTime month = new(today.Year, today.Month, 1, 0, 0, 0, DateTimeKind.Unspecified);
                DateTimeOffset At(DateTime local) => new(local, zone.GetUtcOffset(local));
                return period switch
                {
                    "today" => (At(today), Counted.Next(now)),
                    "yesterday" => (At(today.AddDays(-1)), At(today)),
                    "last_7_days" => (At(today.AddDays(-7)), At(today)),
                    "last_30_days" => (At(today.AddDays(-30)), At(today)),
                    "last_90_days" => (At(today.AddDays(-90)), At(today)),
                    "this_month" => (At(month), Counted.Next(now)),
                    _ => (At(month.AddMonths(-1)), At(month)),
                };
            }
        }
    }

    [Fact]
    public async Task What_was_never_clicked_is_0()
    {
        string[] paths = ["/v1/ads/nobody/clicks", "/v1/campaigns/nobody/clicks", "/v1/pages/a.b_c~d:e-f/clicks", "/v1/ads/" + new string('x', 128) + "/clicks"];
        foreach (string path in paths)
        {
            Counted answer = await loaded.AskAsync(path + "?last=90d&granularity=day");
            Assert.Equal(0, answer.Clicks);
            answer.CheckPoints([]);
        }
    }

    [Fact]
    public async Task The_answer_says_what_it_is_of()
    {
        Counted answer = await loaded.AskAsync("/v1/ads/a-0/clicks?last=30d&country=us&device=mobile&granularity=day");
        Assert.Equal("{\"kind\":\"ad\",\"id\":\"a-0\"}", answer.Json.GetProperty("of").GetRawText());
        Assert.Equal("{\"country\":\"US\",\"device\":\"mobile\"}", answer.Json.GetProperty("filter").GetRawText());
        Assert.Equal("day", answer.Json.GetProperty("granularity").GetString());
        Assert.False(answer.Json.TryGetProperty("invalidated", out _)); // it was always null
    }

    [Fact]
    public async Task A_page_that_came_as_a_url_shows_it()
    {
        TestClick page = loaded.Clicks.First(click => click.PageUrl is not null);
        Counted answer = await loaded.AskAsync($"/v1/pages/{page.Target}/clicks?last=1h");
        Assert.Equal((2, "https://shop.example/a"), (answer.Clicks, answer.Json.GetProperty("page_url").GetString()));
    }
}
