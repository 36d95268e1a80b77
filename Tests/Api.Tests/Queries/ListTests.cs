using System.Globalization;
using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>Every target of a kind, page by page, and many in one call.</summary>
[Collection(nameof(LoadedServer))]
public class ListTests(LoadedServer loaded)
{
    private const string PagingDay = "from=2023-06-15&to=2023-06-16";

    [Theory]
    [InlineData(1000, PagingDay, "")]
    [InlineData(100, PagingDay, "")]
    [InlineData(7, PagingDay, "")]
    [InlineData(50, PagingDay, "DE")]
    [InlineData(115, "from=2023-06-15T06:00:00Z&to=2023-06-15T18:30:00Z", "")]
    public async Task Pages_hold_every_ad_once_in_order(int limit, string range, string country)
    {
        var listed = new List<(string Id, long Clicks)>();
        string? cursor = null;
        Counted answer;
        do
        {
            answer = await loaded.AskAsync($"/v1/ads?{range}&limit={limit}{(country.Length > 0 ? "&country=" + country : "")}{(cursor is null ? "" : "&cursor=" + cursor)}");
            Assert.True(answer.Items.Length <= limit);
            listed.AddRange(answer.Items);
            cursor = answer.Json.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);

        Assert.Equal(Recount(answer.In(loaded.Of("ad")).Where(click => country.Length == 0 || click.Country == country)), listed);
    }

    [Fact]
    public async Task Ninety_days_of_every_kind_and_of_campaigns()
    {
        (string Path, IEnumerable<(string? Id, TestClick Click)> Clicks)[] kinds =
        [
            ("ads", loaded.Of("ad").Select(click => ((string?)click.Target, click))), ("videos", loaded.Of("video").Select(click => ((string?)click.Target, click))),
            ("posts", loaded.Of("post").Select(click => ((string?)click.Target, click))), ("pages", loaded.Of("page").Select(click => ((string?)click.Target, click))),
            ("apps", loaded.Of("app").Select(click => ((string?)click.Target, click))), ("campaigns", loaded.Clicks.Select(click => (click.Campaign, click))),
        ];
        foreach ((string path, IEnumerable<(string? Id, TestClick Click)> clicks) in kinds)
        {
            Counted answer = await loaded.AskAsync($"/v1/{path}?last=90d&limit=1000");
            answer.CheckRolling(TimeSpan.FromDays(90));
            Assert.Equal(
                clicks.Where(pair => pair.Id is not null && pair.Click.Time >= answer.From && pair.Click.Time < answer.To)
                    .GroupBy(pair => pair.Id!).Select(group => (group.Key, (long)group.Count())).OrderBy(group => group.Key, StringComparer.Ordinal),
                answer.Items);
        }
    }

    [Fact]
    public async Task Pages_that_came_as_urls_show_them()
    {
        TestClick page = loaded.Clicks.First(click => click.PageUrl is not null);
        Counted answer = await loaded.AskAsync("/v1/pages?last=1h");
        JsonElement item = answer.Json.GetProperty("items").EnumerateArray().Single(item => item.GetProperty("id").GetString() == page.Target);
        Assert.Equal("https://shop.example/a", item.GetProperty("page_url").GetString());
    }

    [Fact]
    public async Task A_page_shows_its_url_in_every_answer_and_table_that_names_it()
    {
        TestClick page = loaded.Clicks.First(click => click.PageUrl is not null);
        const string Url = "https://shop.example/a";
        Counted many = await loaded.QueryAsync("/v1/pages/query", new { ids = (string[])[page.Target, "p-0"], last = "1h" });
        JsonElement[] items = [.. many.Json.GetProperty("items").EnumerateArray()];
        Assert.Equal(Url, items[0].GetProperty("page_url").GetString());
        Assert.False(items[1].TryGetProperty("page_url", out _));

        Assert.Contains($"\r\n{page.Target},2,{Url}\r\n", (await loaded.Server.GetAsync("/v1/pages?last=1h&format=csv")).Body, StringComparison.Ordinal);
        string top = (await loaded.Server.GetAsync("/v1/pages/top?last=1h&format=csv")).Body;
        Assert.StartsWith("rank,page_id,clicks,page_url\r\n", top, StringComparison.Ordinal);
        Assert.Contains($",{page.Target},2,{Url}\r\n", top, StringComparison.Ordinal);
        string body = JsonSerializer.Serialize(new { ids = (string[])[page.Target, "p-never"], last = "1h" });
        Assert.Equal($"page_id,clicks,page_url\r\n{page.Target},2,{Url}\r\np-never,0,\r\n", (await loaded.PostAsync("/v1/pages/query?format=csv", body)).Body);
        string byHour = JsonSerializer.Serialize(new { ids = (string[])[page.Target], last = "1h", granularity = "day" });
        Assert.StartsWith($"page_id,start,clicks,final,page_url\r\n{page.Target},", (await loaded.PostAsync("/v1/pages/query?format=csv", byHour)).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/ads?")]
    [InlineData("/v1/ads/clicks?")]
    [InlineData("/v1/ads/clicks?granularity=day&")]
    [InlineData("/v1/ads/top?")]
    public async Task Beside_a_table_headers_say_what_every_answer_says(string path)
    {
        Answer answer = await loaded.Server.GetAsync(path + "format=csv&from=2023-06-15T00:00:30Z&to=2023-06-15T12:00:30Z&timezone=Asia/Kathmandu");
        System.Net.Http.Headers.HttpResponseHeaders headers = answer.Message.Headers;
        Assert.Equal("2023-06-15T05:45:00+05:45", headers.GetValues("X-From").Single());
        Assert.Equal("2023-06-15T17:46:00+05:45", headers.GetValues("X-To").Single());
        Assert.EndsWith("+05:45", headers.GetValues("X-Counted-Until").Single(), StringComparison.Ordinal);
        Assert.True(decimal.Parse(headers.GetValues("X-Lag-Seconds").Single(), System.Globalization.CultureInfo.InvariantCulture) >= 0);
        Assert.False(headers.Contains("X-Incomplete"));
        bool top = path.Contains("top", StringComparison.Ordinal);
        Assert.Equal(top ? ["true"] : [], headers.TryGetValues("X-Exact", out IEnumerable<string>? exact) ? exact : []);
        Assert.Equal(top ? ["0"] : [], headers.TryGetValues("X-Error-Bound", out IEnumerable<string>? bound) ? bound : []);
    }

    [Theory]
    [InlineData("text/csv", "text/csv")]
    [InlineData("text/csv, application/json;q=0.5", "text/csv")]
    [InlineData("application/json, text/csv;q=0.5", "application/json")]
    [InlineData("application/json, text/csv;q=0", "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("text/html, */*;q=0.8", "application/json")]
    public async Task The_form_is_the_one_that_the_caller_prefers(string accept, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/ads?last=1h");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        Answer answer = await Answer.ReadAsync(await loaded.Server.Client.SendAsync(request, TestContext.Current.CancellationToken));
        Assert.Equal((200, type), (answer.Status, answer.Message.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task A_query_may_begin_with_a_byte_order_mark() =>
        Assert.Equal(200, (await loaded.PostAsync("/v1/ads/query", [0xEF, 0xBB, 0xBF, .. """{"ids":["a-0"]}"""u8])).Status);

    [Fact]
    public async Task Many_targets_in_one_call_are_counted_until_one_moment()
    {
        string[] ids = [.. loaded.Of("ad").Select(click => click.Target).Distinct().OrderBy(id => id, StringComparer.Ordinal), "nobody"];
        Counted answer = await loaded.QueryAsync("/v1/ads/query", new { ids, last = "90d" });
        answer.CheckRolling(TimeSpan.FromDays(90));
        JsonElement[] items = [.. answer.Json.GetProperty("items").EnumerateArray()];
        Assert.Equal(ids, items.Select(item => item.GetProperty("of").GetProperty("id").GetString()));
        Assert.Equal(ids.Select(id => answer.In(loaded.Of("ad", id)).LongCount()), items.Select(item => item.GetProperty("clicks").GetInt64()));
        Assert.Single(items.Select(item => item.GetProperty("counted_until").GetString()).Append(answer.Json.GetProperty("counted_until").GetString()).Distinct());
    }

    [Theory]
    [InlineData("videos", "video")]
    [InlineData("posts", "post")]
    [InlineData("pages", "page")]
    [InlineData("apps", "app")]
    public async Task Many_of_each_kind(string plural, string kind)
    {
        string[] ids = [.. loaded.Of(kind).Select(click => click.Target).Distinct()];
        Counted answer = await loaded.QueryAsync($"/v1/{plural}/query", new { ids, period = "last_30_days", timezone = "Asia/Kolkata", country = "us" });
        Assert.Equal(
            ids.Select(id => answer.In(loaded.Of(kind, id)).LongCount(click => click.Country == "US")),
            answer.Json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("clicks").GetInt64()));
    }

    [Fact]
    public async Task Many_campaigns_with_points()
    {
        string[] ids = ["c-1", "c-2", "c-3", "c-4", "c-5"];
        Counted answer = await loaded.QueryAsync("/v1/campaigns/query", new { ids, from = "2024-03-08", to = "2024-03-13", granularity = "hour", device = "mobile" });
        foreach (JsonElement item in answer.Json.GetProperty("items").EnumerateArray())
        {
            string id = item.GetProperty("of").GetProperty("id").GetString()!;
            var one = answer with { Json = item };
            Assert.Equal(120, one.Points.Length);
            one.CheckPoints(loaded.Clicks.Where(click => click.Campaign == id && click.Device == "mobile"));
            Assert.Equal(answer.In(loaded.Clicks).Count(click => click.Campaign == id && click.Device == "mobile"), one.Clicks);
        }
    }

    [Theory]
    [InlineData("last=20m")]
    [InlineData("last=90d")]
    [InlineData("last=6h&granularity=minute")]
    [InlineData("from=2024-03-08&to=2024-03-13&granularity=hour&country=US")]
    [InlineData("from=2022-01-01&to=2022-01-05&granularity=day")]
    public async Task All_campaigns_together(string range)
    {
        Counted answer = await loaded.AskAsync("/v1/campaigns/clicks?" + range);
        IEnumerable<TestClick> clicks = loaded.Clicks.Where(click => click.Campaign is not null && (!range.Contains("country", StringComparison.Ordinal) || click.Country == "US"));
        Assert.Equal(answer.In(clicks).Count(), answer.Clicks);
        if (range.Contains("granularity", StringComparison.Ordinal))
        {
            answer.CheckPoints(clicks);
        }
    }

    [Theory]
    [InlineData("?format=csv", "*/*")]
    [InlineData("?", "text/csv")]
    public async Task Lists_rankings_and_points_as_csv(string ask, string accept)
    {
        (string Path, string[] Lines)[] cases =
        [
            ("/v1/ads" + ask + "&limit=1000&" + PagingDay, ["ad_id,clicks", .. Recount(Day(loaded.Of("ad"))).Select(item => $"{item.Id},{item.Clicks}")]),
            ("/v1/ads/top" + ask + "&limit=3&" + PagingDay, ["rank,ad_id,clicks", .. Recount(Day(loaded.Of("ad"))).OrderByDescending(item => item.Clicks).Take(3).Select((item, n) => $"{n + 1},{item.Id},{item.Clicks}")]),
            ("/v1/ads/border/clicks" + ask + "&from=2023-06-14&to=2023-06-16&granularity=day", ["start,clicks,final", "2023-06-14T00:00:00Z,1,false", "2023-06-15T00:00:00Z,3,false"]),
            ("/v1/ads/border/clicks" + ask + "&from=2023-06-14&to=2023-06-16", ["from,to,clicks", "2023-06-14T00:00:00Z,2023-06-16T00:00:00Z,4"]),
            ("/v1/ads/border/clicks" + ask + "&from=2023-06-14&to=2023-06-16&group_by=country", ["country,clicks", "US,4"]),
        ];
        foreach ((string path, string[] lines) in cases)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Accept.ParseAdd(accept);
            CheckCsv(await Answer.ReadAsync(await loaded.Server.Client.SendAsync(request)), lines);
        }

        using var many = new HttpRequestMessage(HttpMethod.Post, "/v1/ads/query" + ask);
        many.Headers.Accept.ParseAdd(accept);
        many.Content = new StringContent("""{"ids":["border","nobody"],"from":"2023-06-14","to":"2023-06-16"}""", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        CheckCsv(await Answer.ReadAsync(await loaded.Server.Client.SendAsync(many)), ["ad_id,clicks", "border,4", "nobody,0"]);
    }

    [Fact]
    public async Task A_cell_that_a_spreadsheet_would_run_is_escaped_and_the_next_page_is_in_a_header()
    {
        // An id may start with one of those characters only as a minus.
        await using ApiServer server = await ApiServer.StartAsync();
        await server.PostAsync("""[{"click_id":"1","ad_id":"-1-2"},{"click_id":"2","ad_id":"z"}]""");
        await LoadedServer.CountedAsync(server);
        Answer answer = await server.GetAsync("/v1/ads?format=csv&limit=1");
        Assert.Equal("ad_id,clicks\r\n'-1-2,1\r\n", answer.Body);
        Assert.Equal("-1-2", answer.Message.Headers.GetValues("X-Next-Cursor").Single());
        Answer rest = await server.GetAsync("/v1/ads?format=csv&limit=2&cursor=-1-2");
        Assert.Equal("ad_id,clicks\r\nz,1\r\n", rest.Body);
        Assert.False(rest.Message.Headers.Contains("X-Next-Cursor"));
    }

    private static IEnumerable<TestClick> Day(IEnumerable<TestClick> clicks) =>
        clicks.Where(click => click.Time >= KnownClicks.Paging && click.Time < KnownClicks.Paging.AddDays(1));

    private static (string Id, long Clicks)[] Recount(IEnumerable<TestClick> clicks) => [.. clicks
        .GroupBy(click => click.Target).Select(group => (group.Key, (long)group.Count())).OrderBy(group => group.Key, StringComparer.Ordinal)];

    private static void CheckCsv(Answer answer, string[] lines)
    {
        Assert.Equal((200, "text/csv"), (answer.Status, answer.Message.Content.Headers.ContentType!.MediaType));
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{string.Join("\r\n", lines)}\r\n"), answer.Body);
    }
}
