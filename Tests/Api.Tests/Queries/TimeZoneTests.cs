using System.Globalization;

namespace ClickAggregator.Api.Tests.Queries;

/// <summary>Days and hours of a zone's calendar, against the calendar of .NET.</summary>
[Collection(nameof(LoadedServer))]
public class TimeZoneTests(LoadedServer loaded)
{
    [Theory]
    [InlineData("America/New_York", "2024-03-09", "2024-03-13")]
    [InlineData("America/New_York", "2024-11-01", "2024-11-06")]
    [InlineData("Asia/Kolkata", "2024-03-09", "2024-03-13")]
    [InlineData("Asia/Kathmandu", "2024-11-01", "2024-11-06")]
    [InlineData("Australia/Lord_Howe", "2024-11-01", "2024-11-06")]
    public async Task Days_begin_at_the_zones_midnight(string timezone, string from, string to)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(timezone);
        Counted answer = await loaded.AskAsync($"/v1/clicks/total?from={from}&to={to}&granularity=day&timezone={timezone}");
        DateTime first = DateTime.Parse(from, CultureInfo.InvariantCulture), end = DateTime.Parse(to, CultureInfo.InvariantCulture);
        DateTime[] days = [.. Enumerable.Range(0, (end - first).Days).Select(n => first.AddDays(n))];
        Assert.Equal(days.Select(day => new DateTimeOffset(day, zone.GetUtcOffset(day)).ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture)),
            answer.Json.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("start").GetString()));

        ILookup<DateTime, TestClick> byDay = loaded.Clicks.ToLookup(click => TimeZoneInfo.ConvertTime(click.Time, zone).Date);
        Assert.Equal(days.Select(day => (long)byDay[day].Count()), answer.Points.Select(point => point.Clicks));
        Assert.Equal(answer.Points.Sum(point => point.Clicks), answer.Clicks);
        Assert.Equal(timezone, answer.Json.GetProperty("timezone").GetString());
        Assert.NotEqual(0, answer.Clicks);
    }

    [Theory]
    [InlineData("America/New_York", "2024-03-10", 23)]
    [InlineData("America/New_York", "2024-11-03", 25)]
    [InlineData("America/New_York", "2024-11-02", 24)]
    [InlineData("Asia/Kolkata", "2024-03-10", 24)]
    [InlineData("Asia/Kathmandu", "2024-11-03", 24)]
    public async Task A_day_has_the_hours_that_its_clock_shows(string timezone, string date, int hours)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(timezone);
        string next = DateTime.Parse(date, CultureInfo.InvariantCulture).AddDays(1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Counted answer = await loaded.AskAsync($"/v1/ads/clicks?from={date}&to={next}&granularity=hour&timezone={timezone}");
        Assert.Equal(TimeSpan.FromHours(hours), answer.To - answer.From);
        Assert.Equal(hours, answer.Points.Length);
        Assert.All(answer.Points, point => Assert.Equal((0, zone.GetUtcOffset(point.Start)), (point.Start.Minute, point.Start.Offset)));
        answer.CheckPoints(loaded.Of("ad"));
        Assert.Equal(loaded.Of("ad").Count(click => TimeZoneInfo.ConvertTime(click.Time, zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) == date), answer.Clicks);
    }

    [Fact]
    public async Task The_hour_that_comes_twice_is_two_points_and_the_one_that_is_skipped_none()
    {
        Counted spring = await loaded.AskAsync("/v1/clicks/total?from=2024-03-10&to=2024-03-11&granularity=hour&timezone=America/New_York");
        Counted autumn = await loaded.AskAsync("/v1/clicks/total?from=2024-11-03&to=2024-11-04&granularity=hour&timezone=America/New_York");
        Assert.DoesNotContain(spring.Points, point => point.Start.Hour == 2);
        Assert.Equal([TimeSpan.FromHours(-4), TimeSpan.FromHours(-5)], autumn.Points.Where(point => point.Start.Hour == 1).Select(point => point.Start.Offset));
    }

    [Fact]
    public async Task The_same_range_is_the_same_number_in_every_zone()
    {
        string[] zones = ["UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"];
        foreach (string zone in zones)
        {
            Counted answer = await loaded.AskAsync($"/v1/clicks/total?from=2024-11-02T03:07:00Z&to=2024-11-05T21:41:00Z&granularity=day&timezone={zone}");
            Assert.Equal(answer.In(loaded.Clicks).Count(), answer.Clicks);
            answer.CheckPoints(loaded.Clicks);
        }
    }
}
