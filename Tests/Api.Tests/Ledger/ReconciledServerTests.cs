using System.Globalization;
using System.Text;
using System.Text.Json;
using ClickAggregator.Api.Tests.Queries;

namespace ClickAggregator.Api.Tests.Ledger;

/// <summary>The whole way, for real: clicks are counted, archived, recounted and final; some are taken back, and given back.</summary>
public class ReconciledServerTests
{
    private static readonly DateTimeOffset s_hour = DateTimeOffset.FromUnixTimeSeconds(LedgerServer.Hour * 3600L);

    private static string Range { get; } = $"from={Text(s_hour)}&to={Text(s_hour.AddHours(1))}";

    [Fact]
    public async Task Numbers_become_final_keep_their_versions_and_tell_what_changed_them()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Archive:MaxAge=1s", "--Rollups=total", "--Rollups=target");
        string[] clicks =
        [
            .. Enumerable.Range(0, 6).Select(n => JsonSerializer.Serialize(new
            {
                click_id = $"k-{n % 5}", ad_id = "a-42", user_id = $"u-{n}", timestamp = s_hour.AddMinutes(n).ToUnixTimeMilliseconds(),
            })),
            .. Enumerable.Range(6, 3).Select(n => JsonSerializer.Serialize(new
            {
                click_id = $"k-{n}", ad_id = "a-42", user_id = $"u-{n}", timestamp = s_hour.AddMinutes(-n).ToUnixTimeMilliseconds(),
            })),
        ];
        Assert.Equal(202, (await server.PostAsync(string.Join('\n', clicks), "application/x-ndjson")).Status);
        await LoadedServer.CountedAsync(server);
        Answer status = await server.UntilAsync("/v1/status", answer => answer.Json.GetProperty("archive") is { ValueKind: JsonValueKind.Array } archive
            && archive.EnumerateArray().Sum(chain => chain.GetProperty("upto").GetInt64()) == 9);
        Assert.Equal(JsonValueKind.Object, status.Json.GetProperty("reconciliation").ValueKind);

        await DoneAsync(server, await OrderAsync(server, "/v1/reconciliations", $$"""{"from":"{{Text(s_hour)}}","to":"{{Text(s_hour.AddHours(1))}}"}"""));
        JsonElement first = (await server.GetAsync($"/v1/ads/a-42/clicks?{Range}&granularity=hour")).Json;
        Assert.Equal((5L, Text(s_hour.AddHours(1)), true), (Clicks(first), first.GetProperty("final_until").GetString(), first.GetProperty("points")[0].GetProperty("final").GetBoolean()));
        long version = first.GetProperty("version").GetInt64();

        string filter = $$"""
            "from":"{{Text(s_hour.AddHours(-1))}}","to":"{{Text(s_hour.AddHours(1))}}","user_id":"u-2","reason":"a bot"}
            """;
        JsonElement dry = await OrderAsync(server, "/v1/invalidations", "{\"dry_run\":true," + filter);
        await DoneAsync(server, dry, "run");
        Assert.Equal((8L, -1L), await DifferenceAsync(server, dry));
        Assert.Equal(5, Clicks((await server.GetAsync($"/v1/ads/a-42/clicks?{Range}&version={version}")).Json));
        JsonElement taken = await OrderAsync(server, "/v1/invalidations", "{" + filter);
        JsonElement changes = (await DoneAsync(server, taken, "run")).Json.GetProperty("changes");
        Assert.Equal(
            """[{"rollup":"target","windows":1,"raised":0,"lowered":1},{"rollup":"total","windows":1,"raised":0,"lowered":1}]""", changes.GetRawText());
        JsonElement second = (await server.GetAsync($"/v1/ads/a-42/clicks?{Range}")).Json;
        Assert.Equal((4L, true), (Clicks(second), second.GetProperty("version").GetInt64() > version));
        Assert.Equal(5, Clicks((await server.GetAsync($"/v1/ads/a-42/clicks?{Range}&version={version}")).Json));
        JsonElement difference = (await server.GetAsync($"/v1/invalidations/{taken.GetProperty("id").GetInt64()}/difference")).Json;
        Assert.Equal((1, -1L), (difference.GetProperty("targets").GetInt32(), difference.GetProperty("difference").GetInt64()));
        Assert.Equal((7L, -1L), await DifferenceAsync(server, taken));
        JsonElement[] ledger = [.. (await server.GetAsync("/v1/ads/a-42/ledger?last=1d")).Json.GetProperty("items").EnumerateArray().Where(row => row.GetProperty("state").GetString() == "settled")];
        JsonElement row = Assert.Single(ledger);
        Assert.Equal(("invalidated", 5L, 4L), (row.GetProperty("cause").GetString(), row.GetProperty("before").GetInt64(), row.GetProperty("after").GetInt64()));
        JsonElement place = (await server.GetAsync("/v1/clicks/k-2/trace?ad_id=a-42")).Json.GetProperty("places")[0];
        Assert.Equal((false, "invalidated"), (place.GetProperty("counted").GetBoolean(), place.GetProperty("reason").GetString()));

        using HttpResponseMessage ended = await server.Client.DeleteAsync(new Uri($"/v1/invalidations/{taken.GetProperty("id").GetInt64()}", UriKind.Relative), TestContext.Current.CancellationToken);
        await DoneAsync(server, (await Answer.ReadAsync(ended)).Json, "revoking_run");
        Assert.Equal(5, Clicks((await server.GetAsync($"/v1/ads/a-42/clicks?{Range}")).Json));
        Assert.Equal((8L, -1L), await DifferenceAsync(server, taken)); // its run took one away, and another gave it back

        QueryErrorTests.Check(await server.GetAsync("/v1/ads/a-42/clicks?last=20m&version=1"), 409, "not_final", null);
        string month = TimeProvider.System.GetUtcNow().ToString("yyyy-MM", CultureInfo.InvariantCulture);
        using HttpResponseMessage early = await server.Client.PostAsync(new Uri($"/v1/periods/{month}/close", UriKind.Relative), null, TestContext.Current.CancellationToken);
        Assert.Equal((System.Net.HttpStatusCode.Conflict, "not_final"), (early.StatusCode, (await Answer.ReadAsync(early)).Code));
    }

    [Fact]
    public async Task A_user_is_erased_and_every_count_stays_also_what_was_taken_back_and_is_given_back()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Archive:MaxAge=1s", "--Archive:TakenAwayAfter=1s", "--Rollups=total", "--Rollups=target");
        string[] clicks =
        [
            .. Enumerable.Range(0, 6).Select(n => JsonSerializer.Serialize(new
            {
                click_id = $"k-{n}", ad_id = "a-42", user_id = n < 2 ? "person-1" : $"u-{n}", referrer = "news.example", timestamp = s_hour.AddMinutes(n).ToUnixTimeMilliseconds(),
            })),
        ];
        Assert.Equal(202, (await server.PostAsync(string.Join('\n', clicks), "application/x-ndjson")).Status);
        await LoadedServer.CountedAsync(server);
        await server.UntilAsync("/v1/status", answer => answer.Json.GetProperty("archive") is { ValueKind: JsonValueKind.Array } archive
            && archive.EnumerateArray().Sum(chain => chain.GetProperty("upto").GetInt64()) == 6);
        string hour = $"\"from\":\"{Text(s_hour)}\",\"to\":\"{Text(s_hour.AddHours(1))}\"";
        await DoneAsync(server, await OrderAsync(server, "/v1/reconciliations", $"{{{hour}}}"));
        JsonElement taken = await OrderAsync(server, "/v1/invalidations", $"{{{hour},\"user_id\":\"person-1\",\"reason\":\"a bot\"}}");
        await DoneAsync(server, taken, "run");
        Assert.Equal(4, Clicks((await server.GetAsync($"/v1/ads/a-42/clicks?{Range}")).Json));

        JsonElement dry = await ErasedAsync(server, await OrderAsync(server, "/v1/erasures", """{"user_id":"person-1","reason":"ticket 7","dry_run":true}"""));
        Assert.True(dry.GetProperty("clicks").GetInt64() >= 2);
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (dry.GetProperty("rewritten")[0].GetProperty("sha256").ValueKind, dry.GetProperty("copies_until").ValueKind));
        Assert.Contains("person-1", (await server.GetAsync($"/v1/ads/a-42/clicks/export?{Range}")).Body, StringComparison.Ordinal);

        JsonElement done = await ErasedAsync(server, await OrderAsync(server, "/v1/erasures", """{"user_id":"person-1","reason":"ticket 7"}"""));
        Assert.Equal(done.GetProperty("objects").GetInt64(), done.GetProperty("rewritten").GetArrayLength());
        Assert.All(done.GetProperty("rewritten").EnumerateArray(), one => Assert.NotEqual(one.GetProperty("sha256_before").GetString(), one.GetProperty("sha256").GetString()));
        Assert.Equal(taken.GetProperty("id").GetInt64(), done.GetProperty("invalidations")[0].GetInt64());
        Assert.InRange(done.GetProperty("copies_until").GetDateTimeOffset() - done.GetProperty("asked_at").GetDateTimeOffset(), TimeSpan.FromHours(24), TimeSpan.FromHours(24.1));
        Assert.DoesNotContain("person-1", done.GetRawText(), StringComparison.Ordinal);
        string export = (await server.GetAsync($"/v1/ads/a-42/clicks/export?{Range}")).Body;
        Assert.DoesNotContain("person-1", export, StringComparison.Ordinal);
        Assert.Equal((6, 4), (export.Split("k-").Length - 1, export.Split("news.example").Length - 1));

        // The recount finds the same, by the marks; whoever asks where a click is is told so; and giving it back counts it again.
        await DoneAsync(server, await OrderAsync(server, "/v1/reconciliations", $"{{{hour}}}"));
        Assert.Equal(4, Clicks((await server.GetAsync($"/v1/ads/a-42/clicks?{Range}")).Json));
        JsonElement place = (await server.GetAsync("/v1/clicks/k-1/trace?ad_id=a-42")).Json.GetProperty("places")[0];
        Assert.Equal((false, "invalidated"), (place.GetProperty("counted").GetBoolean(), place.GetProperty("reason").GetString()));
        using HttpResponseMessage ended = await server.Client.DeleteAsync(new Uri($"/v1/invalidations/{taken.GetProperty("id").GetInt64()}", UriKind.Relative), TestContext.Current.CancellationToken);
        await DoneAsync(server, (await Answer.ReadAsync(ended)).Json, "revoking_run");
        Assert.Equal(6, Clicks((await server.GetAsync($"/v1/ads/a-42/clicks?{Range}")).Json));

        JsonElement[] all = [.. (await server.GetAsync("/v1/erasures")).Json.GetProperty("items").EnumerateArray()];
        Assert.Equal([2L, 1L], all.Select(one => one.GetProperty("id").GetInt64()));
        Assert.StartsWith("id,dry_run,state,", (await server.GetAsync("/v1/erasures?format=csv")).Body, StringComparison.Ordinal);
        QueryErrorTests.Check(await server.GetAsync("/v1/erasures/9"), 404, "not_found", null);
    }

    [Fact]
    public async Task Hours_that_are_over_become_final_by_themselves_their_month_is_closed_and_what_comes_later_is_its_adjustment()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Archive:MaxAge=1s", "--Rollups=total", "--Rollups=target");
        DateTimeOffset now = TimeProvider.System.GetUtcNow().AddDays(-2); // so that the last hours of the month are over, and recounted
        DateTimeOffset hour = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero).AddHours(-30);
        string month = hour.ToString("yyyy-MM", CultureInfo.InvariantCulture);
        string range = $"from={Text(hour)}&to={Text(hour.AddHours(1))}";
        await SendAsync("first");
        Answer final = await server.UntilAsync(
            $"/v1/ads/a-42/clicks?{range}", answer => Clicks(answer.Json) == 3 && answer.Json.GetProperty("final_until").GetString() == Text(hour.AddHours(1)));
        JsonElement run = (await server.GetAsync("/v1/reconciliations")).Json.GetProperty("items").EnumerateArray().Last(run => run.GetProperty("reason").GetString() == "schedule");

        // The hour of the one chain that has clicks, and the last 48 of every chain: somebody may have invented windows there.
        int chains = (await server.GetAsync("/v1/status")).Json.GetProperty("partitions").GetArrayLength();
        Assert.Equal(1 + (48 * chains), run.GetProperty("hours_planned").GetInt32());

        // Late clicks wait for the next day's run, or for whoever asks for one before: they hold up neither the closing nor what is told of it.
        await SendAsync("late");
        await ProvisionalAsync(6);
        Answer closed = await CloseAsync();
        Assert.Equal((200, month), (closed.Status, closed.Json.GetProperty("month").GetString()));
        Assert.True(closed.Json.GetProperty("version").GetInt64() >= final.Json.GetProperty("version").GetInt64());
        Assert.Equal((3L, 6L, 3L), await PeriodAsync());
        await SendAsync("later");
        await ProvisionalAsync(9);
        Assert.Equal((3L, 9L, 6L), await PeriodAsync());
        await DoneAsync(server, await OrderAsync(server, "/v1/reconciliations", $$"""{"from":"{{Text(hour)}}","to":"{{Text(hour.AddHours(1))}}"}"""));
        Assert.Equal((3L, 9L, 6L), await PeriodAsync());
        Assert.Equal(closed.Json.GetProperty("version").GetInt64(), (await CloseAsync()).Json.GetProperty("version").GetInt64());

        async Task SendAsync(string name) => Assert.Equal(202, (await server.PostAsync(
            string.Join('\n', Enumerable.Range(0, 3).Select(n => JsonSerializer.Serialize(new { click_id = $"{name}-{n}", ad_id = "a-42", timestamp = hour.AddMinutes(n).ToUnixTimeMilliseconds() }))),
            "application/x-ndjson")).Status);

        Task ProvisionalAsync(long clicks) => server.UntilAsync(
            $"/v1/ads/a-42/clicks?{range}", answer => Clicks(answer.Json) == clicks && answer.Json.GetProperty("final_until").GetString() != Text(hour.AddHours(1)));

        async Task<Answer> CloseAsync() => await Answer.ReadAsync(
            await server.Client.PostAsync(new Uri($"/v1/periods/{month}/close", UriKind.Relative), null, TestContext.Current.CancellationToken));

        async Task<(long, long, long)> PeriodAsync()
        {
            JsonElement period = (await server.GetAsync($"/v1/periods/{month}?ad_id=a-42")).Json;
            Assert.Equal(JsonValueKind.Null, period.GetProperty("detail").ValueKind);
            return (period.GetProperty("clicks_closed").GetInt64(), period.GetProperty("clicks_now").GetInt64(), period.GetProperty("adjustment").GetInt64());
        }
    }

    private static async Task<JsonElement> ErasedAsync(ApiServer server, JsonElement order) => (await server.UntilAsync(
        $"/v1/erasures/{order.GetProperty("id").GetInt64()}", answer => answer.Json.GetProperty("state").GetString() == "done")).Json;

    private static async Task<JsonElement> OrderAsync(ApiServer server, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        Answer answer = await Answer.ReadAsync(await server.Client.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken));
        Assert.True(answer.Status == 202, answer.Body);
        return answer.Json;
    }

    private static async Task<(long Clicks, long Difference)> DifferenceAsync(ApiServer server, JsonElement invalidation)
    {
        JsonElement difference = (await server.GetAsync($"/v1/invalidations/{invalidation.GetProperty("id").GetInt64()}/difference")).Json;
        JsonElement of = Assert.Single(difference.GetProperty("items").EnumerateArray().ToArray());
        JsonElement counted = (await server.GetAsync(
            $"/v1/ads/{of.GetProperty("id").GetString()}/clicks?from={difference.GetProperty("from").GetString()}&to={difference.GetProperty("to").GetString()}")).Json;
        Assert.Equal(Clicks(counted), Clicks(of));
        return (Clicks(of), of.GetProperty("difference").GetInt64());
    }

    private static Task<Answer> DoneAsync(ApiServer server, JsonElement order, string field = "id") =>
        server.UntilAsync($"/v1/reconciliations/{order.GetProperty(field).GetInt64()}", answer => answer.Json.GetProperty("state").GetString() == "done");

    private static long Clicks(JsonElement answer) => answer.GetProperty("clicks").GetInt64();

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
