using System.Text.Json;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>Filters and groups.</summary>
[Collection(nameof(LoadedServer))]
public class BreakdownTests(LoadedServer loaded)
{
    [Theory]
    [InlineData("last=20m")]
    [InlineData("last=30d")]
    [InlineData("from=2024-03-01&to=2024-12-01")]
    public async Task Filters_count_only_what_they_name(string range)
    {
        foreach ((string path, IEnumerable<TestClick> clicks) in Subjects())
        {
            Counted us = await loaded.AskAsync($"{path}?{range}&country=US");
            Counted mobile = await loaded.AskAsync($"{path}?{range}&device=mobile");
            Counted both = await loaded.AskAsync($"{path}?{range}&country=de&device=tv:4k&granularity=hour");
            Counted none = await loaded.AskAsync($"{path}?{range}&country=ZZ");
            Assert.Equal(us.In(clicks).Count(click => click.Country == "US"), us.Clicks);
            Assert.Equal(mobile.In(clicks).Count(click => click.Device == "mobile"), mobile.Clicks);
            both.CheckPoints(clicks.Where(click => click is { Country: "DE", Device: "tv:4k" }));
            Assert.Equal(0, none.Clicks);
        }
    }

    [Theory]
    [InlineData("last=20m")]
    [InlineData("last=30d")]
    [InlineData("from=2024-03-01&to=2024-12-01")]
    public async Task Groups_add_up_to_the_clicks_and_absent_is_null(string range)
    {
        foreach ((string path, IEnumerable<TestClick> clicks) in Subjects())
        {
            Counted countries = await loaded.AskAsync($"{path}?{range}&group_by=country");
            Check(countries, clicks, click => click.Country);
            Counted devices = await loaded.AskAsync($"{path}?{range}&group_by=device");
            Check(devices, clicks, click => click.Device);
            Counted devicesOfOne = await loaded.AskAsync($"{path}?{range}&group_by=device&country=US");
            Check(devicesOfOne, clicks.Where(click => click.Country == "US"), click => click.Device);
            Counted countriesOfOne = await loaded.AskAsync($"{path}?{range}&group_by=country&device=mobile");
            Check(countriesOfOne, clicks.Where(click => click.Device == "mobile"), click => click.Country);
        }
    }

    [Fact]
    public async Task Groups_of_what_was_never_clicked_are_none()
    {
        Counted answer = await loaded.AskAsync("/v1/ads/nobody/clicks?group_by=country&last=90d");
        Assert.Equal(0, answer.Clicks);
        Assert.Empty(answer.Json.GetProperty("groups").EnumerateArray());
    }

    private static void Check(Counted answer, IEnumerable<TestClick> clicks, Func<TestClick, string?> by)
    {
        List<TestClick> known = [.. answer.In(clicks)];
        (string?, long)[] groups = [.. answer.Json.GetProperty("groups").EnumerateArray()
            .Select(group => (group.GetProperty("value").GetString(), group.GetProperty("clicks").GetInt64()))];
        Assert.Equal(known.GroupBy(by).Select(group => (group.Key, (long)group.Count())).OrderBy(group => group.Key, StringComparer.Ordinal),
            groups.OrderBy(group => group.Item1, StringComparer.Ordinal));
        Assert.Equal(groups.Select(group => group.Item2).OrderDescending(), groups.Select(group => group.Item2));
        Assert.Equal(known.Count, answer.Clicks);
    }

    private (string Path, IEnumerable<TestClick> Clicks)[] Subjects() =>
    [
        ("/v1/clicks/total", loaded.Clicks),
        ("/v1/ads/clicks", loaded.Of("ad")),
        ("/v1/ads/a-0/clicks", loaded.Of("ad", "a-0")),
        ("/v1/campaigns/c-1/clicks", loaded.Clicks.Where(click => click.Campaign == "c-1")),
    ];
}
