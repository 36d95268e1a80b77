using System.Globalization;

namespace ClickAggregator.Api.Tests.Queries;

public class RollupStartTests
{
    private const string Click = """{"ad_id":"a-1","country":"US"}""";

    [Fact]
    public async Task A_rollup_that_is_switched_on_later_answers_from_its_first_whole_hour_on()
    {
        string folder;
        await using (ApiServer before = await ApiServer.StartAsync("--Rollups=target", "--Rollups=total"))
        {
            folder = before.DataDirectory;
            before.KeepData();
            Assert.Equal(1, (await before.PostAsync(Click)).Accepted);
            await before.UntilAsync("/v1/ads/a-1/clicks", answer => answer.Json.GetProperty("clicks").GetInt64() == 1);
        }

        await using ApiServer server = await ApiServer.StartOnAsync(folder, null, "--Rollups=target", "--Rollups=total", "--Rollups=target|country");
        Assert.Equal(1, (await server.PostAsync(Click)).Accepted);
        await server.UntilAsync("/v1/ads/a-1/clicks", answer => answer.Json.GetProperty("clicks").GetInt64() == 2);

        // What was there before is answered as before; the new one not before it is whole, and the date is told.
        Answer answer = await server.GetAsync("/v1/ads/a-1/clicks?country=US");
        QueryErrorTests.Check(answer, 400, "rollup_not_enabled", null);
        string detail = answer.Json.GetProperty("detail").GetString()!;
        Assert.Contains("the rollup target|country was switched on later: it is whole from ", detail, StringComparison.Ordinal);
        string date = detail.Split("whole from ")[1].Split(' ')[0];
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        DateTimeOffset start = DateTimeOffset.Parse(date, CultureInfo.InvariantCulture);
        Assert.InRange(start, now.AddMinutes(-2), now.AddMinutes(66));
        Assert.Equal((0, 0), (start.Minute, start.Second));
        foreach (string path in (string[])["/v1/ads/a-1/clicks?group_by=country&last=30d", "/v1/ads/top?country=US", "/v1/ads?country=US"])
        {
            QueryErrorTests.Check(await server.GetAsync(path), 400, "rollup_not_enabled", null);
        }

        Assert.Equal(200, (await server.GetAsync($"/v1/ads/a-1/clicks?country=US&from={date}&to={start.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}")).Status);
    }
}
