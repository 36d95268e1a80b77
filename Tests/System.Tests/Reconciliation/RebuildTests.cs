using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Cluster;
using ClickAggregator.SystemTests.Kafka;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Reconciliation;

/// <summary>A rollup that is switched on later gets its history, through the real program and kill -9.</summary>
public class RebuildTests(KafkaServer kafka, CassandraServer cassandra, ITestOutputHelper output)
{
    private const string Name = "target|country";
    private const int Rebuilt = 7;

    // Nothing is recounted but what is asked for.
    private static readonly string[] s_before = ["--Rollups=total", "--Rollups=target", "--Archive:MaxAge=1s", "--ClickLog:Partitions=2", "--Reconciliation:After=7d"];
    private static readonly string[] s_after = [.. s_before, "--Rollups=" + Name];
    private static readonly string[] s_countries = ["US", "DE", "FR", "JP", ""];

    // What is clicked lies in hours that are over long enough to be recounted.
    private static readonly long s_last = (TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / 3600) - 3;
    private static readonly long s_first = s_last - 20;

    private readonly Dictionary<(string Ad, string Country, long Minute), long> _truth = [];
    private readonly HashSet<string> _ids = [];
    private readonly HashSet<(string Ad, long Hour)> _taken = [];

    private static string Range => $"from={Hour(s_first)}&to={Hour(s_last)}";

    [Fact]
    public async Task Its_history_is_made_up_for_by_the_command_that_is_killed_and_called_again()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var data = new DataFolder();
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, s_before))
        {
            await PostAsync(api.Http, random, 6000);
            await Answers.CountedToTheEndAsync(api.Http);

            // What was taken back before the rollup is made up for is never in it, and verify knows.
            await TakeBackAsync(api.Http, "ad-7", s_first + 3);
            await StopAsync(api);
        }

        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, s_after))
        {
            await PostAsync(api.Http, random, 1500);
            await Answers.CountedToTheEndAsync(api.Http);
            Assert.Contains("the rollup target|country was switched on later: it is whole from ", await RefusedAsync(api.Http, Range), StringComparison.Ordinal);

            // Its own lock keeps the command out, which says how the server does it.
            (int busy, string said) = await ApiProcess.RunAsync(["rebuild-rollup", Name, "--data", data.Path, .. s_after]);
            Assert.Equal(1, busy);
            Assert.Contains("in use by another process", said, StringComparison.Ordinal);
            Assert.Contains("/v1/reconciliations", said, StringComparison.Ordinal);
            await StopAsync(api);
        }

        (int code, string text) = await ApiProcess.RunAsync(["rebuild-rollup", Name, "--dry-run", "--data", data.Path, .. s_after]);
        Assert.True(code == 0, text);
        Assert.Contains("windows would be written", text, StringComparison.Ordinal);
        var store = new StoreFile(data);
        Assert.Equal(0, store.Number($"SELECT count(*) FROM corrections WHERE cause = {Rebuilt} AND state <> 4"));

        // Killed once it has written something, again a little later, and then not.
        for (int kill = 0; kill < 2; kill++)
        {
            long written = store.Number(Written);
            await using ProgramProcess command = ProgramProcess.Start("Api", ["rebuild-rollup", Name, "--data", data.Path, .. s_after]);
            await Eventually.Async("something is written", () => Task.FromResult(command.HasExited || store.Number(Written) > written + random.Next(200)), TimeSpan.FromMinutes(1), atOnce: true);
            output.WriteLine($"killed with {store.Number(Written)} rows of the ledger{(command.HasExited ? ", it had ended" : "")}");
            command.Kill();
        }

        (code, text) = await ApiProcess.RunAsync(["rebuild-rollup", Name, "--data", data.Path, .. s_after]);
        output.WriteLine(text);
        Assert.True(code == 0, text);
        Assert.Contains("clicks still come to these hours", text, StringComparison.Ordinal);

        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, s_after))
        {
            // Late clicks count on top.
            await PostAsync(api.Http, random, 500);
            await Answers.CountedToTheEndAsync(api.Http);
            await AgreeAsync(api.Http);
            await RefusedAsync(api.Http, $"from={Hour(s_first)}&to={Hour(s_last + 6)}");
            await LedgerSaysRebuiltAsync(api.Http);
            await StopAsync(api);
        }

        (code, text) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_after]);
        Assert.True(code == 0 && text.Contains(" 0 windows differ", StringComparison.Ordinal), text);
    }

    [Fact]
    public async Task A_rollup_that_was_off_in_between_begins_anew_and_the_running_server_rebuilds_it()
    {
        var random = new Random(7);
        string[] before = [.. s_before.Where(setting => !setting.StartsWith("--Reconciliation", StringComparison.Ordinal))];
        string[] after = [.. before, "--Rollups=" + Name];
        using var data = new DataFolder();
        foreach (string[] settings in (string[][])[after, before])
        {
            await using ApiProcess api = await ApiProcess.StartAsync(data.Path, settings);
            await PostAsync(api.Http, random, 1000);
            await Answers.CountedToTheEndAsync(api.Http);
            await StopAsync(api);
        }

        // As the server counts without it, its windows are not held against the log.
        (int code, string text) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. before]);
        Assert.True(code == 0, text);

        // Somebody deletes marks of hours, that of the first among them: the archive knows of their clicks.
        Assert.True(new StoreFile(data).Run("DELETE FROM hours WHERE hour % 2 = 0 OR hour = (SELECT min(hour) FROM hours)") > 0);
        await using ApiProcess again = await ApiProcess.StartAsync(data.Path, after);
        await PostAsync(again.Http, random, 1000);
        await Answers.CountedToTheEndAsync(again.Http);
        await RefusedAsync(again.Http, Range);
        string day = Hour(s_first + 8);
        await RebuildAsync(again.Http, $$"""{"rollup":"{{Name}}","from":"{{day}}"}""");
        await RefusedAsync(again.Http, Range);
        long some = await Answers.ClicksAsync(again.Http, $"/v1/ads/ad-1/clicks?country=US&from={day}&to={Hour(s_last)}");
        Assert.Equal(_truth.Where(pair => pair.Key is ("ad-1", "US", var minute) && minute >= (s_first + 8) * 60).Sum(pair => pair.Value), some);
        await RebuildAsync(again.Http, $$"""{"rollup":"{{Name}}"}""");
        await AgreeAsync(again.Http);

        // No version from before the rebuilding has its numbers.
        string path = $"/v1/ads/ad-1/clicks?country=US&{Range}";
        await Eventually.Async(
            "the range is final",
            async () => JsonDocument.Parse(await again.Http.GetStringAsync(path)).RootElement is var answer && answer.GetProperty("final_until").GetString() == Hour(s_last),
            TimeSpan.FromMinutes(1));
        using (var now = JsonDocument.Parse(await again.Http.GetStringAsync(path)))
        {
            long version = now.RootElement.GetProperty("version").GetInt64();
            Assert.Equal(now.RootElement.GetProperty("clicks").GetInt64(), await Answers.ClicksAsync(again.Http, $"{path}&version={version}"));
            using HttpResponseMessage then = await again.Http.GetAsync(path + "&version=1");
            Assert.Equal(HttpStatusCode.Conflict, then.StatusCode);
        }

        using HttpResponseMessage nothing = await PostAsync(again.Http, $$"""{"rollup":"{{Name}}","from":"2013-01-01","to":"2013-01-02"}""");
        Assert.Equal(HttpStatusCode.BadRequest, nothing.StatusCode);
    }

    [Fact]
    public async Task Hours_of_a_click_log_that_was_closed_for_Kafka_are_rebuilt_and_corrected_too()
    {
        var random = new Random(9);
        string[] before = [.. s_before.Where(setting => !setting.StartsWith("--ClickLog", StringComparison.Ordinal))];
        string[] after = [.. before, "--Rollups=" + Name];
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await using (ApiProcess embedded = await ApiProcess.StartAsync(program.Data, before))
        {
            await PostAsync(embedded.Http, random, 2000);
            await Answers.CountedToTheEndAsync(embedded.Http);
            await StopAsync(embedded);
        }

        await using ApiProcess api = await program.StartAsync(after);
        await PostAsync(api.Http, random, 1000);
        await Answers.CountedUntilNowAsync(api.Http);
        await RefusedAsync(api.Http, Range);
        await RebuildAsync(api.Http, $$"""{"rollup":"{{Name}}"}""");
        await AgreeAsync(api.Http);
        await LedgerSaysRebuiltAsync(api.Http);

        // A row of the old log that somebody deletes is found and written again.
        var store = new StoreFile(program.Folder);
        Assert.True(store.Run($"DELETE FROM clicks_by_hour WHERE series = 'ad:ad-1|country:US' AND hour = {s_first} AND chain < 4") > 0);
        using HttpResponseMessage answer = await PostAsync(api.Http, $$"""{"from":"{{Hour(s_first)}}","to":"{{Hour(s_first + 1)}}"}""");
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        string run = $"/v1/reconciliations/{JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetInt64().ToString(CultureInfo.InvariantCulture)}";
        await Eventually.Async("the run ends", async () => JsonDocument.Parse(await api.Http.GetStringAsync(run)).RootElement.GetProperty("state").GetString() is "done" or "done_in_part", TimeSpan.FromMinutes(2));
        using var ended = JsonDocument.Parse(await api.Http.GetStringAsync(run));
        Assert.Equal(("done", 1), (ended.RootElement.GetProperty("state").GetString(), ended.RootElement.GetProperty("corrections").GetInt32()));
        await AgreeAsync(api.Http);
    }

    /// <summary>Run by name, for it takes minutes: <c>dotnet run --project Tests/System.Tests -- -explicit only -class '*.RebuildTests'</c>.</summary>
    [Fact(Explicit = true)]
    public async Task In_a_cluster_the_command_asks_the_silos_and_one_may_die_on_the_way()
    {
        var random = new Random(8);
        string[] before = [.. s_before.Where(setting => !setting.StartsWith("--ClickLog", StringComparison.Ordinal))];
        string[] after = [.. before, "--Rollups=" + Name];
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        await using (ApiProcess api = await cluster.StartApiAsync(before))
        {
            await cluster.StartSilosAsync(1, before);
            await PostAsync(api.Http, random, 3000);
            await Answers.CountedUntilNowAsync(api.Http);
            await StopAsync(api);
        }

        // An API that knows it before the silos do does not take it for counted.
        await using ApiProcess again = await cluster.StartApiAsync(after);
        await RefusedAsync(again.Http, Range);
        await cluster.StopAsync(cluster.Silos[0]);
        await cluster.StartSilosAsync(2, after);
        await PostAsync(again.Http, random, 1000);
        await Answers.CountedUntilNowAsync(again.Http);
        await RefusedAsync(again.Http, Range);
        await using (ProgramProcess command = ProgramProcess.Start("Api", ["rebuild-rollup", Name, .. cluster.Settings, .. after]))
        {
            await Eventually.Async(
                "some hours are done",
                async () => command.HasExited || JsonDocument.Parse(await again.Http.GetStringAsync("/v1/reconciliations?limit=5")).RootElement.GetProperty("items").EnumerateArray()
                    .Any(run => run.GetProperty("hours_done").GetInt32() > 0),
                TimeSpan.FromMinutes(2), atOnce: true);
            cluster.Kill(cluster.Silos[0]);
            int code = await command.WaitForExitAsync(TimeSpan.FromMinutes(3));
            output.WriteLine(command.Output);
            Assert.Equal(0, code);
        }

        await Eventually.Async(
            "answers know of it", async () => (await again.Http.GetAsync($"/v1/ads/ad-1/clicks?country=US&{Range}")).IsSuccessStatusCode, TimeSpan.FromMinutes(1));
        await Answers.CountedUntilNowAsync(again.Http);
        await AgreeAsync(again.Http);
        await LedgerSaysRebuiltAsync(again.Http);
    }

    /// <summary>Takes the clicks of an ad in an hour back; no more of them come.</summary>
    private async Task TakeBackAsync(HttpClient http, string ad, long hour)
    {
        long taken = _truth.Where(of => of.Key.Ad == ad && of.Key.Minute / 60 == hour).Sum(of => of.Value);
        Assert.True(taken > 0);
        string path = $"/v1/ads/{ad}/clicks?{Range}";
        long before = await Answers.ClicksAsync(http, path);
        using HttpResponseMessage answer = await http.PostAsJsonAsync(
            "/v1/invalidations", new { from = Hour(hour), to = Hour(hour + 1), ad_id = ad, reason = "a bot" });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        JsonElement invalidation = await answer.Content.ReadFromJsonAsync<JsonElement>();
        await Runs.EndedAsync(http, invalidation.GetProperty("run").GetInt64()); // what is left of it would be done with the rollup
        Assert.Equal(before - taken, await Answers.ClicksAsync(http, path));
        _taken.Add((ad, hour));
        foreach ((string Ad, string Country, long Minute) key in _truth.Keys.Where(key => key.Ad == ad && key.Minute / 60 == hour).ToList())
        {
            _truth.Remove(key);
        }
    }

    private static string Written => $"SELECT count(*) FROM corrections WHERE cause = {Rebuilt} AND state = 2";

    private async Task PostAsync(HttpClient http, Random random, int clicks)
    {
        var body = new StringBuilder();
        for (int n = 0; n < clicks; n++)
        {
            string id = $"c-{_ids.Count}";
            _ids.Add(id);
            long minute = (s_first * 60) + random.Next((int)(s_last - s_first) * 60);
            string ad = $"ad-{random.Next(20)}";
            ad = _taken.Contains((ad, minute / 60)) ? "ad-0" : ad; // such a click would count until the next run of its hour
            string country = s_countries[random.Next(s_countries.Length)];
            string line = JsonSerializer.Serialize(new Dictionary<string, object?>
            {
                ["click_id"] = id,
                ["ad_id"] = ad,
                ["country"] = country.Length == 0 ? null : country,
                ["timestamp"] = (minute * 60_000) + random.Next(60_000),
            });
            _truth[(ad, country, minute)] = _truth.GetValueOrDefault((ad, country, minute)) + 1;
            body.Append(line).Append('\n');
            if (random.Next(20) == 0)
            {
                body.Append(line).Append('\n'); // a repeat counts nowhere
            }
        }

        await MadeClicks.PostAsync(http, body.ToString());
    }

    /// <summary>Every ad in every country, minute by minute, and all countries of an ad together.</summary>
    private async Task AgreeAsync(HttpClient http)
    {
        string[] ads = [.. Enumerable.Range(0, 20).Select(n => $"ad-{n}")];
        foreach (string country in s_countries.Where(country => country.Length > 0))
        {
            for (long hour = s_first; hour < s_last; hour += 4)
            {
                long to = Math.Min(hour + 4, s_last);
                using HttpResponseMessage answer = await http.PostAsJsonAsync("/v1/ads/query", new { ids = ads, from = Hour(hour), to = Hour(to), granularity = "minute", country });
                string text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.IsSuccessStatusCode, text);
                using var json = JsonDocument.Parse(text);
                foreach (JsonElement item in json.RootElement.GetProperty("items").EnumerateArray())
                {
                    string ad = item.GetProperty("of").GetProperty("id").GetString()!;
                    long[] counted = [.. item.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("clicks").GetInt64())];
                    Assert.Equal(Enumerable.Range(0, (int)(to - hour) * 60).Select(minute => _truth.GetValueOrDefault((ad, country, (hour * 60) + minute))), counted);
                }
            }
        }

        foreach (string ad in ads)
        {
            using var json = JsonDocument.Parse(await http.GetStringAsync($"/v1/ads/{ad}/clicks?{Range}&group_by=country"));
            Dictionary<string, long> groups = json.RootElement.GetProperty("groups").EnumerateArray().ToDictionary(group => group.GetProperty("value").GetString() ?? "", group => group.GetProperty("clicks").GetInt64());
            Assert.Equal(s_countries.Select(country => _truth.Where(pair => pair.Key.Ad == ad && pair.Key.Country == country).Sum(pair => pair.Value)), s_countries.Select(country => groups.GetValueOrDefault(country)));
        }
    }

    private static async Task LedgerSaysRebuiltAsync(HttpClient http)
    {
        int rebuilt = 0;
        for (long hour = s_first; hour < s_last; hour++)
        {
            using var json = JsonDocument.Parse(await http.GetStringAsync($"/v1/ledger?hour={Hour(hour)}&limit=1000"));
            foreach (JsonElement row in json.RootElement.GetProperty("items").EnumerateArray().Where(row => row.GetProperty("state").GetString() != "dry"))
            {
                if (row.GetProperty("cause").GetString() == "invalidated")
                {
                    continue;
                }

                Assert.Contains("|country:", row.GetProperty("series").GetString(), StringComparison.Ordinal);
                Assert.Equal("rebuilt", row.GetProperty("cause").GetString());
                Assert.Contains(row.GetProperty("state").GetString(), (string[])["settled", "dropped"]);
                rebuilt++;
            }
        }

        Assert.True(rebuilt > 500, $"{rebuilt} rows of the ledger");
    }

    private static async Task<string> RefusedAsync(HttpClient http, string range)
    {
        string path = $"/v1/ads/ad-1/clicks?country=US&{range}";
        await Eventually.Async("it answers", async () => (await http.GetAsync(path)).StatusCode != HttpStatusCode.ServiceUnavailable, TimeSpan.FromMinutes(1));
        using HttpResponseMessage answer = await http.GetAsync(path);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, text);
        using var json = JsonDocument.Parse(text);
        Assert.Equal("rollup_not_enabled", json.RootElement.GetProperty("code").GetString());
        return json.RootElement.GetProperty("detail").GetString()!;
    }

    /// <summary>Asks the server, and waits until the answers know.</summary>
    private static async Task RebuildAsync(HttpClient http, string order)
    {
        using HttpResponseMessage answer = await PostAsync(http, order);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, text);
        using var json = JsonDocument.Parse(text);
        Assert.Equal((Name, "rebuild"), (json.RootElement.GetProperty("rollup").GetString(), json.RootElement.GetProperty("reason").GetString()));
        string run = $"/v1/reconciliations/{json.RootElement.GetProperty("id").GetInt64().ToString(CultureInfo.InvariantCulture)}";
        string state = "";
        await Eventually.Async("the run ends", async () => (state = JsonDocument.Parse(await http.GetStringAsync(run)).RootElement.GetProperty("state").GetString()!) is "done" or "done_in_part", TimeSpan.FromMinutes(2));
        Assert.True(state == "done", await http.GetStringAsync(run));
        string from = Uri.EscapeDataString(json.RootElement.GetProperty("from").GetString()!);
        await Eventually.Async(
            "answers know of it",
            async () => (await http.GetAsync($"/v1/ads/ad-1/clicks?country=US&from={from}&to={Hour(s_last)}")).IsSuccessStatusCode,
            TimeSpan.FromMinutes(1));
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, string order)
    {
        using var body = new StringContent(order, Encoding.UTF8, "application/json");
        return await http.PostAsync("/v1/reconciliations", body);
    }

    private static async Task StopAsync(ApiProcess api)
    {
        api.Signal(15);
        await api.WaitForExitAsync();
    }

    private static string Hour(long hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
