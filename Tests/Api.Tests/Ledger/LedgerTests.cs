using System.Globalization;
using System.Text.Json;
using ClickAggregator.Api.Tests.Queries;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Reconciling;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Ledger;

/// <summary>The ledger over HTTP: by hour and by what was counted, page by page, as JSON and as CSV.</summary>
[Collection(nameof(LedgerServer))]
public class LedgerTests(LedgerServer loaded)
{
    private static string HourText { get; } = Text(LedgerServer.Hour);

    [Fact]
    public async Task The_ledger_of_an_hour_has_every_correction_of_it()
    {
        Answer answer = await loaded.Server.GetAsync($"/v1/ledger?hour={HourText}");
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(LedgerServer.Rows.Select(Shown), Items(answer));
        Assert.Equal(JsonValueKind.Null, answer.Json.GetProperty("next_cursor").ValueKind);
        JsonElement first = answer.Json.GetProperty("items")[0];
        Assert.Equal(HourText, first.GetProperty("hour").GetString());
        Assert.Equal([10L, 0, 0, 0], first.GetProperty("before_quarters").EnumerateArray().Select(quarter => quarter.GetInt64()));
        Assert.Equal([0L, 0, 0, 12], first.GetProperty("after_quarters").EnumerateArray().Select(quarter => quarter.GetInt64()));
        Assert.Equal(1000, first.GetProperty("upto").GetInt64());
        Assert.Equal(HourText.Replace("Z", ".000Z", StringComparison.Ordinal), first.GetProperty("at").GetString());
        Assert.Equal("day", answer.Json.GetProperty("items")[5].GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Any_time_in_the_hour_names_it() =>
        Assert.Equal(6, Items(await loaded.Server.GetAsync($"/v1/ledger?hour={HourText.Replace(":00:00Z", ":59:59.999Z", StringComparison.Ordinal)}")).Length);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    public async Task Pages_follow_each_other_without_gap_or_repeat(int limit)
    {
        var all = new List<string>();
        string cursor = "";
        do
        {
            Answer page = await loaded.Server.GetAsync($"/v1/ledger?hour={HourText}&limit={limit}{cursor}");
            Assert.True(page.Status == 200, page.Body);
            Assert.True(Items(page).Length <= limit);
            all.AddRange(Items(page));
            cursor = page.Json.GetProperty("next_cursor").GetString() is { } next ? "&cursor=" + next : "";
        }
        while (cursor.Length > 0);
        Assert.Equal(LedgerServer.Rows.Select(Shown), all);
    }

    [Fact]
    public async Task The_ledger_of_one_target_is_by_hour_over_the_last_30_days()
    {
        Answer answer = await loaded.Server.GetAsync("/v1/ads/a-1/ledger");
        Assert.True(answer.Status == 200, answer.Body);
        CorrectionRow[] wanted = [.. LedgerServer.Rows.Append(LedgerServer.Others[0]).Where(row => row.Key.Series == "ad:a-1")];
        Assert.Equal(wanted.Select(Shown), Items(answer));
        Assert.Equal(4, Items(await loaded.Server.GetAsync("/v1/ads/a-1/ledger?last=30d&limit=10")).Length);
        Assert.Equal(5, Items(await loaded.Server.GetAsync("/v1/ads/a-1/ledger?last=90d")).Length);
        Assert.Equal([Shown(LedgerServer.Rows[2])], Items(await loaded.Server.GetAsync("/v1/ads/a-1/ledger?country=us")));
        Assert.Equal([Shown(LedgerServer.Rows[4])], Items(await loaded.Server.GetAsync("/v1/clicks/total/ledger")));
        Assert.Empty(Items(await loaded.Server.GetAsync("/v1/ads/nobody/ledger")));
        Assert.Empty(Items(await loaded.Server.GetAsync("/v1/videos/a-1/ledger")));
    }

    [Fact]
    public async Task A_page_of_a_target_ends_where_the_next_begins()
    {
        Answer first = await loaded.Server.GetAsync("/v1/ads/a-1/ledger?limit=3");
        string next = first.Json.GetProperty("next_cursor").GetString()!;
        string[] rest = Items(await loaded.Server.GetAsync($"/v1/ads/a-1/ledger?limit=3&cursor={next}"));
        Assert.Equal([Shown(LedgerServer.Others[0])], rest);
    }

    [Fact]
    public async Task A_table_says_the_same()
    {
        Answer answer = await loaded.Server.GetAsync($"/v1/ledger?hour={HourText}&format=csv&limit=2");
        string at = HourText.Replace("Z", ".000Z", StringComparison.Ordinal);
        Assert.Equal(
            "hour,chain,run,series,cause,state,before,after,upto,at,detail\r\n"
            + $"{HourText},0,3,ad:a-1,missed,settled,10,12,1000,{at},\r\n{HourText},0,4,ad:a-1,invalidated,dry,12,5,1000,{at},\r\n",
            answer.Body);
        Assert.Equal("text/csv", answer.Message.Content.Headers.ContentType!.MediaType);
        string next = answer.Message.Headers.GetValues("X-Next-Cursor").Single();
        Assert.Equal(LedgerServer.Rows.Skip(2).Select(Shown), Items(await loaded.Server.GetAsync($"/v1/ledger?hour={HourText}&cursor={next}")));
    }

    [Fact]
    public async Task What_one_run_wrote_is_found_among_the_rows_of_others_and_every_page_goes_on()
    {
        ILedgerGrain ledger = loaded.Server.Services.GetRequiredService<IGrainFactory>().GetGrain<ILedgerGrain>(0);
        foreach (int limit in (int[])[1, 2, 1000])
        {
            var found = new List<string>();
            LedgerPlace? after = null;
            do
            {
                LedgerPage page = await ledger.OfRunAsync(3, LedgerServer.Hour - 2000, LedgerServer.Hour + 10, after, limit);
                found.AddRange(page.Rows.Select(row => $"{row.Place.Hour - LedgerServer.Hour} {row.Place.Chain} {row.Place.Series}"));
                after = page.Next;
            }
            while (after is not null);
            Assert.Equal(["0 0 ad:a-1", "0 0 ad:a-1|country:US", "0 1 ad:a-1", "1 0 ad:a-1"], found);
        }
    }

    [Theory]
    [InlineData("/v1/ledger", "hour")]
    [InlineData("/v1/ledger?hour=", "hour")]
    [InlineData("/v1/ledger?hour=2026-11-22T19", "hour")]
    [InlineData("/v1/ledger?hour=2026-11-22&limit=0", "limit")]
    [InlineData("/v1/ledger?hour=2026-11-22&limit=1001", "limit")]
    [InlineData("/v1/ledger?hour=2026-11-22&cursor=", "cursor")]
    [InlineData("/v1/ledger?hour=2026-11-22&cursor=!", "cursor")]
    [InlineData("/v1/ledger?hour=2026-11-22&cursor=YWJj", "cursor")]
    [InlineData("/v1/ledger?hour=2026-11-22&format=xml", "format")]
    [InlineData("/v1/ads/a-1/ledger?last=x", "last")]
    [InlineData("/v1/ads/a-1/ledger?country=USA", "country")]
    [InlineData("/v1/ads/a-1/ledger?cursor=a", "cursor")]
    [InlineData("/v1/ads/a%7Cb/ledger", "id")]
    [InlineData("/v1/reconciliations?cursor=x", "cursor")]
    [InlineData("/v1/reconciliations?cursor=0", "cursor")]
    [InlineData("/v1/reconciliations?limit=1001", "limit")]
    [InlineData("/v1/invalidations?cursor=-1", "cursor")]
    [InlineData("/v1/periods?cursor=2026", "cursor")]
    [InlineData("/v1/periods/2026-13", "month")]
    [InlineData("/v1/periods/2026-10?ad_id=a%7Cb", "ad_id")]
    [InlineData("/v1/periods/2026-10?ad_id=a&video_id=b", "video_id")]
    public async Task A_parameter_that_is_not_right_is_named(string path, string field) =>
        QueryErrorTests.Check(await loaded.Server.GetAsync(path), 400, "invalid_parameter", field);

    [Theory]
    [InlineData("/v1/ledger?hour=2026-11-22&run=3")]
    [InlineData("/v1/reconciliations?from=2026-11-22")]
    [InlineData("/v1/reconciliations/1?limit=3")]
    [InlineData("/v1/ads/a-1/ledger?granularity=hour")]
    [InlineData("/v1/periods/2026-10?format=csv")]
    public async Task One_that_is_not_known_is_refused(string path) => QueryErrorTests.Check(await loaded.Server.GetAsync(path), 400, "unknown_parameter", null);

    [Theory]
    [InlineData("/v1/ads?version=3")]
    [InlineData("/v1/ads/top?version=3&limit=10")]
    [InlineData("/v1/campaigns/top?version=")]
    [InlineData("/v1/ads/popular_ads?version=3")]
    [InlineData("/v1/ads/a-1/aggregated_count?version=3")]
    [InlineData("/v1/ads/a-1/ledger?version=3")]
    [InlineData("/v1/ledger?hour=2026-11-22&version=3")]
    public async Task What_has_no_versions_says_so_and_names_what_has(string path)
    {
        Answer answer = await loaded.Server.GetAsync(path);
        QueryErrorTests.Check(answer, 400, "version_unavailable", "version");
        Assert.Contains("POST /v1/ads/query", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version=")]
    [InlineData("version=-1")]
    [InlineData("version=1.5")]
    [InlineData("version=latest")]
    public async Task A_version_is_a_number_that_is_not_negative(string version)
    {
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/clicks/total?" + version), 400, "invalid_parameter", "version");
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads/a-1/clicks?" + version), 400, "invalid_parameter", "version");
    }

    [Fact]
    public async Task A_rollup_that_is_not_there_has_no_ledger()
    {
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/campaigns/c-1/ledger"), 400, "rollup_not_enabled", null);
        QueryErrorTests.Check(await loaded.Server.GetAsync("/v1/ads/a-1/ledger?device=tv"), 400, "rollup_not_enabled", null);
    }

    private static string Text(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Shown(CorrectionRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Run} {row.Key.Series} {row.Key.Chain} {(row.Cause == CorrectionCause.StoreDamage ? "store_damage" : row.Cause.ToString().ToLowerInvariant())} {row.State.ToString().ToLowerInvariant()} {row.Before.Sum()} {row.After.Sum()}");

    private static string[] Items(Answer answer) => [.. answer.Json.GetProperty("items").EnumerateArray().Select(item => string.Create(
        CultureInfo.InvariantCulture,
        $"{item.GetProperty("run").GetInt64()} {item.GetProperty("series").GetString()} {item.GetProperty("chain").GetInt32()} {item.GetProperty("cause").GetString()} {item.GetProperty("state").GetString()} {item.GetProperty("before").GetInt64()} {item.GetProperty("after").GetInt64()}"))];
}
