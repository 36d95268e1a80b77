using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Oracle;

/// <summary>Holds what the API answers against a recount: every target and minute, totals, the most clicked.</summary>
internal static class Answers
{
    /// <summary>Waits until everything appended is counted.</summary>
    public static Task CountedToTheEndAsync(HttpClient http) => Eventually.Async(
        "everything in the log is counted",
        async () =>
        {
            using var status = JsonDocument.Parse(await http.GetStringAsync("/v1/status"));
            JsonElement partitions = status.RootElement.GetProperty("partitions");
            return partitions.GetArrayLength() > 0 && partitions.EnumerateArray().All(partition =>
                partition.GetProperty("next").GetInt64() == partition.GetProperty("end").GetInt64()
                && partition.GetProperty("state").GetString() == "counting");
        },
        TimeSpan.FromMinutes(2));

    /// <summary>Waits until the answers say themselves that everything accepted by now is in them.</summary>
    public static Task CountedUntilNowAsync(HttpClient http, TimeSpan? deadline = null)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return Eventually.Async(
            $"everything accepted before {now:O} is counted",
            async () =>
            {
                using HttpResponseMessage answer = await http.GetAsync("/v1/clicks/total?last=20m");
                if (!answer.IsSuccessStatusCode)
                {
                    return false;
                }

                using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
                JsonElement until = json.RootElement.GetProperty("counted_until");
                return until.ValueKind == JsonValueKind.String && until.GetDateTimeOffset() > now;
            },
            deadline ?? TimeSpan.FromMinutes(2));
    }

    /// <summary>Waits until so many real clicks are counted; where more will do, also until there are more.</summary>
    public static Task RealClicksCountedAsync(HttpClient http, long clicks, TimeSpan deadline, bool atLeast = false) => Eventually.Async(
        $"{clicks} clicks are counted",
        async () => await ClicksAsync(http, $"/v1/clicks/total?{RealClicks.Range}") is long counted && (counted == clicks || (atLeast && counted > clicks)),
        deadline);

    /// <summary>Once the answers say that they have everything accepted by now, they are those of the recount.</summary>
    /// <param name="http">Whom to ask.</param>
    /// <param name="recount">What is right.</param>
    /// <param name="eachHour">Whether the minutes of every hour are looked at, which takes seconds; else of every fifth.</param>
    public static async Task AgreeAsync(HttpClient http, Recount recount, bool eachHour = false)
    {
        await CountedUntilNowAsync(http);
        long first = recount.ByAdMinute.Keys.Min(key => key.Minute) / 60;
        long last = (recount.ByAdMinute.Keys.Max(key => key.Minute) / 60) + 1;
        string range = $"from={Instant(first)}&to={Instant(last)}";

        Assert.Equal(recount.Total, await ClicksAsync(http, $"/v1/clicks/total?{range}"));
        Assert.Equal(recount.Total, await ClicksAsync(http, $"/v1/ads/clicks?{range}"));

        Dictionary<string, long> listed = await ListAsync(http, $"/v1/ads?{range}&limit=1000");
        Assert.Equal(recount.ByAd.OrderBy(ad => ad.Key, StringComparer.Ordinal), listed.OrderBy(ad => ad.Key, StringComparer.Ordinal));
        Dictionary<string, long> campaigns = await ListAsync(http, $"/v1/campaigns?{range}&limit=1000");
        Assert.Equal(recount.ByCampaign.OrderBy(c => c.Key, StringComparer.Ordinal), campaigns.OrderBy(c => c.Key, StringComparer.Ordinal));

        using var top = JsonDocument.Parse(await http.GetStringAsync($"/v1/ads/top?{range}&limit=100"));
        Assert.Equal(
            recount.ByAd.Values.OrderDescending().Take(100),
            top.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("clicks").GetInt64()));
        Assert.All(
            top.RootElement.GetProperty("items").EnumerateArray(),
            item => Assert.Equal(recount.ByAd[item.GetProperty("id").GetString()!], item.GetProperty("clicks").GetInt64()));

        await MinutesAgreeAsync(http, recount, eachHour ? 1 : 5);
    }

    private static async Task MinutesAgreeAsync(HttpClient http, Recount recount, int step)
    {
        foreach (var hour in recount.ByAdMinute.GroupBy(count => count.Key.Minute / 60).Where(hour => hour.Key % step == 0))
        {
            string[] ads = [.. hour.Select(count => count.Key.Ad).Distinct()];
            foreach (string[] some in ads.Chunk(150))
            {
                using HttpResponseMessage answer = await http.PostAsJsonAsync("/v1/ads/query", new
                {
                    ids = some,
                    from = Instant(hour.Key),
                    to = Instant(hour.Key + 1),
                    granularity = "minute",
                });
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
                using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
                foreach (JsonElement item in json.RootElement.GetProperty("items").EnumerateArray())
                {
                    string ad = item.GetProperty("of").GetProperty("id").GetString()!;
                    long minute = hour.Key * 60;
                    foreach (JsonElement point in item.GetProperty("points").EnumerateArray())
                    {
                        long expected = recount.ByAdMinute.GetValueOrDefault((ad, minute));
                        Assert.True(
                            expected == point.GetProperty("clicks").GetInt64(),
                            $"{ad} at {point.GetProperty("start")}: {point.GetProperty("clicks")} counted, {expected} expected");
                        minute++;
                    }

                    Assert.Equal((hour.Key + 1) * 60, minute);
                }
            }
        }
    }

    private static async Task<Dictionary<string, long>> ListAsync(HttpClient http, string path)
    {
        var all = new Dictionary<string, long>();
        string? cursor = null;
        do
        {
            using var page = JsonDocument.Parse(
                await http.GetStringAsync(cursor is null ? path : $"{path}&cursor={Uri.EscapeDataString(cursor)}"));
            foreach (JsonElement item in page.RootElement.GetProperty("items").EnumerateArray())
            {
                all.Add(item.GetProperty("id").GetString()!, item.GetProperty("clicks").GetInt64());
            }

            cursor = page.RootElement.GetProperty("next_cursor").GetString();
        }
        while (cursor is not null);
        return all;
    }

    public static async Task<long> ClicksAsync(HttpClient http, string path)
    {
        using var json = JsonDocument.Parse(await http.GetStringAsync(path));
        return json.RootElement.GetProperty("clicks").GetInt64();
    }

    private static string Instant(long hour) =>
        DateTimeOffset.FromUnixTimeSeconds(hour * 3600).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
