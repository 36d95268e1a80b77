using System.Text.Json;
using ClickAggregator.Api.Tests.Queries;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Tests.Ledger;

/// <summary>Runs, invalidations and periods over HTTP, and what a question says of finality.</summary>
public class RunTests : IClassFixture<ScriptedServer>
{
    private const long Now = 1_800_000_000_000;
    private readonly ScriptedServer _server;

    public RunTests(ScriptedServer server)
    {
        _server = server;
        Script.Runs.Clear();
        Script.Invalidations.Clear();
        Script.Periods.Clear();
        Script.Asked.Clear();
        Script.Refusal = null;
        _server.Series.Finality = _ => null;
        _server.Series.AtVersion = null;
    }

    private ScriptedReconciliation Script => _server.Reconciliation;

    [Fact]
    public async Task An_order_is_passed_on_in_whole_hours_with_the_name_of_the_key()
    {
        Answer answer = await _server.SendAsync("POST", "/v1/reconciliations", """{"from":"2026-11-22T10:30:00Z","to":"2026-11-22T12:00:00.001Z","mode":"republish","dry_run":true}""");
        Assert.True(answer.Status == 202, answer.Body);
        Assert.Equal("/v1/reconciliations/100", answer.Message.Headers.Location!.ToString());
        var asked = (RunRequest)Assert.Single(Script.Asked);
        int ten = (int)(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds() / 3600);
        Assert.Equal(new RunRequest(ten, ten + 3, RunMode.Republish, true, "billing"), asked);
        Assert.Equal("2026-11-22T13:00:00Z", answer.Json.GetProperty("to").GetString());
        Assert.Equal(("waiting", "republish", "billing"), (Text(answer.Json, "state"), Text(answer.Json, "mode"), Text(answer.Json, "by")));
    }

    [Fact]
    public async Task An_order_with_a_rollup_rebuilds_it()
    {
        Answer answer = await _server.SendAsync("POST", "/v1/reconciliations", """{"rollup":"target|country","dry_run":true}""");
        Assert.True(answer.Status == 202, answer.Body);
        Assert.Equal("/v1/reconciliations/102", answer.Message.Headers.Location!.ToString());
        Assert.Equal(("target|country", (int?)null, true, (string?)"billing"), Assert.Single(Script.Asked));
        Assert.Equal(("rebuild", "target|country", "2027-01-15T08:10:00.000Z"), (Text(answer.Json, "reason"), Text(answer.Json, "rollup"), Text(answer.Json, "not_before")));

        Script.Asked.Clear();
        answer = await _server.SendAsync("POST", "/v1/reconciliations", """{"rollup":"target","from":"2026-11-22T10:30:00Z"}""");
        Assert.True(answer.Status == 202, answer.Body);
        int ten = (int)(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds() / 3600);
        Assert.Equal(("target", (int?)ten, false, (string?)"billing"), Assert.Single(Script.Asked));
        QueryErrorTests.Check(await _server.SendAsync("POST", "/v1/reconciliations", """{"rollup":"target","to":"2026-11-22"}"""), 400, "invalid_parameter", "to");
    }

    [Theory]
    [InlineData("not_final", 409)]
    [InlineData("too_many_runs", 429)]
    [InlineData("invalid_range", 400)]
    public async Task A_refusal_is_passed_on_with_its_code(string code, int status)
    {
        Script.Refusal = new ReconciliationRefusedException(code, "it cannot be done");
        Answer answer = await _server.SendAsync("POST", "/v1/reconciliations", """{"from":"2026-11-22","to":"2026-11-23"}""");
        QueryErrorTests.Check(answer, status, code, null);
        Assert.Equal("it cannot be done", answer.Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_run_that_searches_first_says_how_far_that_is_and_is_no_dry_run()
    {
        Answer asked = await _server.SendAsync("POST", "/v1/reconciliations", """{"from":"2026-11-22","to":"2026-11-23","search":true}""");
        Assert.True(asked.Status == 202, asked.Body);
        Assert.True(((RunRequest)Assert.Single(Script.Asked)).Search);
        QueryErrorTests.Check(await _server.SendAsync("POST", "/v1/reconciliations", """{"from":"2026-11-22","to":"2026-11-23","search":true,"dry_run":true}"""), 400, "invalid_parameter", "search");
        QueryErrorTests.Check(await _server.SendAsync("POST", "/v1/reconciliations", """{"rollup":"target|country","search":true}"""), 400, "invalid_parameter", "search");

        var request = new RunRequest(LedgerServer.Hour, LedgerServer.Hour + 1, RunMode.Direct, false, null, Search: true);
        Script.Runs.Add(new ReconciliationRun(1, request, "asked", RunState.Waiting, Now, null, null, 0, 0, 0, 0, 0, [], Search: new RunSearch(65, 12)));
        JsonElement run = (await _server.SendAsync("GET", "/v1/reconciliations/1")).Json;
        Assert.Equal("""{"parts":65,"parts_done":12}""", run.GetProperty("search").GetRawText());
    }

    [Fact]
    public async Task A_run_whose_hours_have_to_be_tried_again_says_why_and_not_how_long_that_takes()
    {
        var request = new RunRequest(LedgerServer.Hour, LedgerServer.Hour + 4, RunMode.Direct, false, null);
        Script.Runs.Add(new ReconciliationRun(1, request, "asked", RunState.Running, Now, Now, null, 16, 4, 100, 0, 0, [], WaitsFor: "the archive is behind"));
        JsonElement run = (await _server.SendAsync("GET", "/v1/reconciliations/1")).Json;
        Assert.Equal(("the archive is behind", JsonValueKind.Null), (Text(run, "waits_for"), run.GetProperty("seconds_left").ValueKind));
    }

    [Fact]
    public async Task An_order_without_an_answer_is_not_put_again_and_says_that_nobody_knows()
    {
        Script.Refusal = new TimeoutException("no answer");
        Answer answer = await _server.SendAsync("POST", "/v1/periods/2026-10/close");
        QueryErrorTests.Check(answer, 503, "store_unavailable", null);
        Assert.Contains("may have been taken up or not", answer.Body, StringComparison.Ordinal);
        Assert.Equal(((56 * 12) + 9, "billing"), Assert.Single(Script.Asked));
    }

    [Fact]
    public async Task Runs_are_listed_page_by_page_and_one_says_how_far_it_is()
    {
        long started = TimeProvider.System.GetUtcNow().AddSeconds(-60).ToUnixTimeMilliseconds();
        Script.Runs.AddRange(Enumerable.Range(1, 5).Select(number => new ReconciliationRun(
            number, new RunRequest(LedgerServer.Hour, LedgerServer.Hour + 1, RunMode.Direct, false, null), "schedule", RunState.Done, Now, Now, Now + 1000, 1, 1, 50, 2, -3, [])));
        Script.Runs.Add(new ReconciliationRun(
            6, new RunRequest(LedgerServer.Hour, LedgerServer.Hour + 10, RunMode.Direct, false, "billing"), "asked", RunState.Running, started, started, null, 10, 5, 1234, 0, 0,
            [new RunTrouble(LedgerServer.Hour, 3, "archive_damaged", "the object x is gone")],
            Changes: [new RollupChange(null, 1, 0, 3), new RollupChange("target", 2, 8, 242)]));
        Answer first = await _server.Server.GetAsync("/v1/reconciliations?limit=4", _server.Keys["reader"]);
        Assert.Equal([6L, 5, 4, 3], Ids(first));
        Answer second = await _server.Server.GetAsync($"/v1/reconciliations?limit=4&cursor={first.Json.GetProperty("next_cursor").GetString()}", _server.Keys["reader"]);
        Assert.Equal([2L, 1], Ids(second));
        Assert.Equal(JsonValueKind.Null, second.Json.GetProperty("next_cursor").ValueKind);

        JsonElement run = (await _server.Server.GetAsync("/v1/reconciliations/6", _server.Keys["reader"])).Json;
        Assert.Equal((10, 5, 1234L), (run.GetProperty("hours_planned").GetInt32(), run.GetProperty("hours_done").GetInt32(), run.GetProperty("clicks_read").GetInt64()));
        Assert.InRange(run.GetProperty("seconds_left").GetInt64(), 55, 120);
        Assert.Equal(
            """[{"rollup":null,"windows":1,"raised":0,"lowered":3},{"rollup":"target","windows":2,"raised":8,"lowered":242}]""",
            run.GetProperty("changes").GetRawText());
        Assert.Equal(0, (await _server.Server.GetAsync("/v1/reconciliations/5", _server.Keys["reader"])).Json.GetProperty("changes").GetArrayLength());
        Assert.Equal(("archive_damaged", "the object x is gone"), (Text(run.GetProperty("troubles")[0], "code"), Text(run.GetProperty("troubles")[0], "message")));
        string[] table = (await _server.Server.GetAsync("/v1/reconciliations?format=csv&limit=1", _server.Keys["reader"])).Body.Split("\r\n");
        Assert.StartsWith("id,reason,state,", table[0], StringComparison.Ordinal);
        Assert.StartsWith("6,asked,running,direct,false,", table[1], StringComparison.Ordinal);
        QueryErrorTests.Check(await _server.SendAsync("GET", "/v1/reconciliations/7"), 404, "not_found", null);
    }

    [Fact]
    public async Task What_a_run_wrote_and_what_that_makes_of_each_target_is_told()
    {
        Script.Runs.Add(new ReconciliationRun(
            4, new RunRequest(LedgerServer.Hour - 1, LedgerServer.Hour + 2, RunMode.Direct, true, null), "invalidation", RunState.Done, Now, Now, Now, 3, 3, 50, 2, -10, []));
        Answer corrections = await _server.SendAsync("GET", "/v1/reconciliations/4/corrections?limit=2");
        Assert.Equal(["ad:a-1", "ad:b"], corrections.Json.GetProperty("items").EnumerateArray().Select(item => Text(item, "series")));
        Answer rest = await _server.SendAsync("GET", $"/v1/reconciliations/4/corrections?cursor={Text(corrections.Json, "next_cursor")}");
        Assert.Equal(["total"], rest.Json.GetProperty("items").EnumerateArray().Select(item => Text(item, "series")));

        Script.Invalidations.Add(new Invalidation(5, new InvalidationRequest(new InvalidationFilter(0, 1, UserId: "u"), "a bot", true, null), Now, 4));
        foreach (string path in (string[])["/v1/reconciliations/4/difference", "/v1/invalidations/5/difference"])
        {
            JsonElement difference = (await _server.SendAsync("GET", path)).Json;
            Assert.Equal((4L, true, true, 2, -10L), (difference.GetProperty("run").GetInt64(), difference.GetProperty("dry_run").GetBoolean(), difference.GetProperty("complete").GetBoolean(),
                difference.GetProperty("targets").GetInt32(), difference.GetProperty("difference").GetInt64()));
            Assert.Equal(
                ["ad a-1 -7", "ad b -3"],
                difference.GetProperty("items").EnumerateArray().Select(item => $"{Text(item, "kind")} {Text(item, "id")} {item.GetProperty("difference").GetInt64()}"));
        }

        Answer page = await _server.SendAsync("GET", "/v1/invalidations/5/difference?limit=1&format=csv");
        Assert.Matches("^kind,id,clicks,difference\r\nad,a-1,[0-9]*,'-7\r\n$", page.Body);
        Answer next = await _server.SendAsync("GET", $"/v1/invalidations/5/difference?cursor={page.Message.Headers.GetValues("X-Next-Cursor").Single()}");
        Assert.Equal("b", Text(Assert.Single(next.Json.GetProperty("items").EnumerateArray().ToArray()), "id"));
    }

    [Fact]
    public async Task An_invalidation_is_asked_for_listed_looked_at_and_ended()
    {
        Answer made = await _server.SendAsync("POST", "/v1/invalidations",
            """{"from":"2026-11-22T10:00:00.123Z","to":"2026-11-23","video_id":"v-1","user_id":"u-9","country":"us","device":"tv","referrer":"https://News.Example/x","campaign_id":"c-7","reason":" a bot ","dry_run":true}""");
        Assert.True(made.Status == 202, made.Body);
        var asked = (InvalidationRequest)Assert.Single(Script.Asked);
        long from = new DateTimeOffset(2026, 11, 22, 10, 0, 0, 123, TimeSpan.Zero).ToUnixTimeMilliseconds();
        Assert.Equal(
            new InvalidationRequest(
                new InvalidationFilter(from, new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), TargetKind.Video, "v-1", "c-7", "u-9", "tv", "US", "news.example"),
                "a bot", true, "billing"),
            asked);
        JsonElement filter = made.Json.GetProperty("filter");
        Assert.Equal(("2026-11-22T10:00:00.123Z", "v-1", "u-9", "news.example"), (Text(filter, "from"), Text(filter, "video_id"), Text(filter, "user_id"), Text(filter, "referrer")));
        Assert.Equal("/v1/invalidations/5", made.Message.Headers.Location!.ToString());

        Script.Invalidations.AddRange([new Invalidation(4, asked with { Filter = new InvalidationFilter(0, 1) }, Now, 3), new Invalidation(5, asked, Now, 4)]);
        Assert.Equal((long[])[5, 4], Ids(await _server.SendAsync("GET", "/v1/invalidations")));
        Assert.Equal((long[])[4], Ids(await _server.SendAsync("GET", "/v1/invalidations?cursor=5")));
        Assert.Equal(4, (await _server.SendAsync("GET", "/v1/invalidations/4")).Json.GetProperty("id").GetInt64());
        QueryErrorTests.Check(await _server.SendAsync("GET", "/v1/invalidations/3"), 404, "not_found", null);
        Assert.Contains(",video:v-1,c-7,u-9,tv,US,news.example,a bot,billing,", (await _server.SendAsync("GET", "/v1/invalidations?format=csv")).Body, StringComparison.Ordinal);

        Answer ended = await _server.SendAsync("DELETE", "/v1/invalidations/5");
        Assert.Equal((202, "billing", 101L), (ended.Status, Text(ended.Json, "revoked_by"), ended.Json.GetProperty("revoking_run").GetInt64()));
        QueryErrorTests.Check(await _server.SendAsync("DELETE", "/v1/invalidations/6"), 404, "not_found", null);
    }

    [Fact]
    public async Task Every_click_of_a_range_is_taken_back_only_where_that_is_said()
    {
        const string range = """ "from":"2026-11-22","to":"2026-11-23","reason":"a broken site" """;
        QueryErrorTests.Check(await _server.SendAsync("POST", "/v1/invalidations", $"{{{range}}}"), 400, "filter_missing", null);
        Assert.Empty(Script.Asked);

        Answer made = await _server.SendAsync("POST", "/v1/invalidations", $"{{{range},\"all\":true}}");
        Assert.True(made.Status == 202, made.Body);
        InvalidationFilter filter = ((InvalidationRequest)Assert.Single(Script.Asked)).Filter;
        Assert.Equal(new InvalidationFilter(filter.FromTime, filter.FromTime + 86_400_000), filter);
        Assert.Equal(["from", "to"], made.Json.GetProperty("filter").EnumerateObject().Select(part => part.Name));
    }

    [Fact]
    public async Task Who_may_only_read_sees_runs_and_ledger_and_changes_nothing()
    {
        foreach ((string method, string path, int status) in (ValueTuple<string, string, int>[])[
            ("GET", "/v1/reconciliations", 200), ("GET", "/v1/periods", 200), ("GET", "/v1/ads/a-1/ledger", 200), ("POST", "/v1/reconciliations", 403),
            ("GET", "/v1/invalidations", 403), ("POST", "/v1/invalidations", 403), ("DELETE", "/v1/invalidations/1", 403), ("GET", "/v1/erasures", 403), ("POST", "/v1/erasures", 403), ("GET", "/v1/erasures/1", 403), ("POST", "/v1/periods/2026-10/close", 403)])
        {
            Answer answer = await _server.SendAsync(method, path, method == "POST" ? "{}" : null, "reader");
            Assert.True(answer.Status == status, $"{method} {path}: {answer.Status} {answer.Body}");
        }

        Assert.Empty(Script.Asked);
    }

    [Fact]
    public async Task A_month_is_closed_by_whoever_asks_and_shows_what_came_later()
    {
        Answer closed = await _server.SendAsync("POST", "/v1/periods/2026-10/close");
        Assert.Equal((200, "2026-10", 17L, "billing"), (closed.Status, Text(closed.Json, "month"), closed.Json.GetProperty("version").GetInt64(), Text(closed.Json, "closed_by")));
        QueryErrorTests.Check(await _server.SendAsync("GET", "/v1/periods/2026-10"), 404, "not_found", null);

        Script.Periods.AddRange([new ClosedPeriod((56 * 12) + 9, 17, Now, "billing"), new ClosedPeriod((56 * 12) + 8, 9, Now, null)]);
        Answer list = await _server.SendAsync("GET", "/v1/periods?limit=1");
        Assert.Equal("2026-09", Text(list.Json.GetProperty("items")[0], "month"));
        list = await _server.SendAsync("GET", $"/v1/periods?limit=1&cursor={Text(list.Json, "next_cursor")}");
        Assert.Equal("2026-10", Text(list.Json.GetProperty("items")[0], "month"));

        SeriesRange? asked = null;
        _server.Series.AtVersion = range =>
        {
            asked = range;
            return 40;
        };
        JsonElement month = (await _server.SendAsync("GET", "/v1/periods/2026-10?campaign_id=c-7")).Json;
        Assert.Equal((40L, 0L, -40L), (month.GetProperty("clicks_closed").GetInt64(), month.GetProperty("clicks_now").GetInt64(), month.GetProperty("adjustment").GetInt64()));
        Assert.Equal(("campaign", "c-7"), (Text(month.GetProperty("of"), "kind"), Text(month.GetProperty("of"), "id")));
        Assert.Equal(("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"), (Text(month, "from"), Text(month, "to")));
        Assert.Equal(("campaign:c-7", 17L), (Assert.Single(asked!.Series), asked.Version));

        _server.Series.AtVersion = _ => throw new NotFinalException("the hour 2026-10-03T04:00Z is not final");
        month = (await _server.SendAsync("GET", "/v1/periods/2026-10")).Json;
        Assert.Equal(JsonValueKind.Null, month.GetProperty("clicks_closed").ValueKind);
        Assert.Equal(JsonValueKind.Null, month.GetProperty("adjustment").ValueKind);
        Assert.Contains("2026-10-03T04:00Z", Text(month, "detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_says_what_of_it_is_final_in_the_zone_of_its_times()
    {
        int hour = (int)(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds() / 3600);
        _server.Series.Finality = _ => new RangeFinality((hour + 2) * 60L, 17, [hour + 2], hour + 4);
        const string range = "from=2026-11-22T10:00Z&to=2026-11-22T16:00Z&granularity=hour&timezone=Asia/Kolkata";
        Answer answer = await _server.SendAsync("GET", "/v1/clicks/total?" + range);
        Assert.Equal(("2026-11-22T17:30:00+05:30", 17L), (Text(answer.Json, "final_until"), answer.Json.GetProperty("version").GetInt64()));

        // Points of half hours: the zone's hours lie across two of UTC's.
        Assert.Equal(
            [true, true, false, false, false, false, false],
            answer.Json.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("final").GetBoolean()));
        Answer table = await _server.SendAsync("GET", $"/v1/clicks/total?{range}&format=csv");
        Assert.StartsWith("start,clicks,final\r\n2026-11-22T15:30:00+05:30,0,true\r\n", table.Body, StringComparison.Ordinal);
        Assert.Equal(("2026-11-22T17:30:00+05:30", "17"), (table.Message.Headers.GetValues("X-Final-Until").Single(), table.Message.Headers.GetValues("X-Version").Single()));
        Answer list = await _server.SendAsync("GET", "/v1/ads?from=2026-11-22T10:00Z&to=2026-11-22T16:00Z");
        Assert.Equal("2026-11-22T12:00:00Z", Text(list.Json, "final_until"));
    }

    [Fact]
    public async Task A_version_is_passed_on_and_one_that_is_not_final_is_409()
    {
        _server.Series.AtVersion = range => range.Version!.Value * 10;
        Assert.Equal(30, (await _server.SendAsync("GET", "/v1/clicks/total?version=3")).Json.GetProperty("clicks").GetInt64());
        Assert.Equal(40, (await _server.SendAsync("GET", "/v1/ads/a-1/clicks?version=4&last=6h&granularity=hour")).Json.GetProperty("clicks").GetInt64());
        foreach (string body in (string[])["""{"ids":["a-1"],"version":"5"}""", """{"ids":["a-1"],"version":5}"""])
        {
            Answer many = await _server.SendAsync("POST", "/v1/ads/query", body);
            Assert.Equal(50, many.Json.GetProperty("items")[0].GetProperty("clicks").GetInt64());
        }

        _server.Series.AtVersion = _ => throw new NotFinalException("the hour 2026-11-22T10:00Z is provisional");
        foreach (string path in (string[])["/v1/clicks/total?version=3", "/v1/ads/a-1/clicks?version=3", "/v1/ads/a-1/clicks?version=3&group_by=country"])
        {
            Answer answer = await _server.SendAsync("GET", path);
            QueryErrorTests.Check(answer, 409, "not_final", null);
            Assert.Contains("2026-11-22T10:00Z", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        // What was kept of it is gone.
        _server.Series.AtVersion = _ => throw new HistoryDamagedException("what total had in the hour 2026-11-22T10:00Z is gone");
        foreach (string path in (string[])["/v1/clicks/total?version=3", "/v1/ads/a-1/clicks?version=3&group_by=country"])
        {
            Answer answer = await _server.SendAsync("GET", path);
            QueryErrorTests.Check(answer, 503, "history_damaged", null);
            Assert.Contains("2026-11-22T10:00Z", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        QueryErrorTests.Check(await _server.SendAsync("POST", "/v1/ads/query", """{"ids":["a-1"],"version":-1}"""), 400, "invalid_parameter", "version");
        QueryErrorTests.Check(await _server.SendAsync("POST", "/v1/ads/query", """{"ids":["a-1"],"version":true}"""), 400, "invalid_parameter", "version");
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static long[] Ids(Answer answer) => [.. answer.Json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetInt64())];
}
