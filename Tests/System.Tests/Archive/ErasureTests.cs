using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using DuckDB.NET.Data;

namespace ClickAggregator.SystemTests.Archive;

/// <summary>One user is erased from the archive of real clicks: nothing is left of the user there, and every count stays.</summary>
public class ErasureTests(ITestOutputHelper output)
{
    private const string Person = "person-of-the-request";
    private static readonly string[] s_settings =
        ["--Archive:MaxAge=1s", "--Archive:MaxObjectBytes=256 KiB", "--Archive:TakenAwayAfter=2s", "--ClickLog:Partitions=2", "--Rollups=total", "--Rollups=target", "--Rollups=kind", "--Rollups=campaign"];

    [Fact]
    public async Task Killed_while_it_erases_it_finishes_and_no_trace_of_the_user_is_left_while_all_counts_stay()
    {
        string[] lines = [.. RealClicks.Lines.Take(20_000).Select(WithUser)];
        using var data = new DataFolder();
        JsonElement taken;
        string range;
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, s_settings))
        {
            await RealClicksTests.SendAsync(api.Http, lines);
            await Answers.CountedToTheEndAsync(api.Http);
            await MovedAsync(data, lines.Length);
            Assert.True(await CountAsync(data, Person) > 100);
            Recount recount = Recount.Of(lines);
            await Answers.AgreeAsync(api.Http, recount);
            long first = recount.ByAdMinute.Keys.Min(key => key.Minute) / 60 * 60;
            long last = ((recount.ByAdMinute.Keys.Max(key => key.Minute) / 60) + 1) * 60;
            range = $"\"from\":\"{Instant(first)}\",\"to\":\"{Instant(last)}\"";
            taken = await OrderAsync(api.Http, "/v1/invalidations", $"{{{range},\"user_id\":\"{Person}\",\"reason\":\"a bot\"}}");
            await DoneAsync(api.Http, "/v1/reconciliations", taken.GetProperty("run").GetInt64());
            JsonElement dry = await OrderAsync(api.Http, "/v1/erasures", $"{{\"user_id\":\"{Person}\",\"reason\":\"ticket 7\",\"dry_run\":true}}");
            dry = await DoneAsync(api.Http, "/v1/erasures", dry.GetProperty("id").GetInt64());
            Assert.True(dry.GetProperty("objects").GetInt64() > 3, dry.GetRawText());
            await OrderAsync(api.Http, "/v1/erasures", $"{{\"user_id\":\"{Person}\",\"reason\":\"ticket 7\"}}");
            await Eventually.Async("the first object is being rewritten", () => Task.FromResult(Erasures(data) > 0), TimeSpan.FromMinutes(2), atOnce: true);
            api.Kill();
        }

        int begun = Erasures(data);
        long before;
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, s_settings))
        {
            JsonElement done = await DoneAsync(api.Http, "/v1/erasures", 2);
            output.WriteLine($"{begun} entries when it was killed; {done.GetRawText()}");
            Assert.True(done.GetProperty("objects").GetInt64() >= begun - 1);
            Assert.Equal(0, await CountAsync(data, Person));
            Assert.DoesNotContain(
                Directory.EnumerateFiles(data.File("archive"), "*", SearchOption.AllDirectories),
                file => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Person)) >= 0);
            Assert.Equal(lines.Length, (await ArchivedClicks.WalkAsync(data.File("archive"))).Ids().Distinct().Count());
            before = await TotalAsync(api.Http, range);
            Assert.Equal(Recount.Of([.. lines.Where(line => !line.Contains(Person, StringComparison.Ordinal))]).ByAdMinute.Values.Sum(), before);

            // Whatever is recounted now is what it was.
            JsonElement run = await OrderAsync(api.Http, "/v1/reconciliations", $"{{{range}}}");
            run = await DoneAsync(api.Http, "/v1/reconciliations", run.GetProperty("id").GetInt64());
            Assert.Equal((0L, before), (run.GetProperty("corrections").GetInt64(), await TotalAsync(api.Http, range)));

            // A click of the user that comes now is a new one.
            await RealClicksTests.SendAsync(api.Http, [$"{{\"click_id\":\"later\",\"ad_id\":\"a\",\"user_id\":\"{Person}\",\"timestamp\":{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds()}}}"]);
            await Eventually.Async("it is archived", async () => await CountAsync(data, Person) == 1, TimeSpan.FromMinutes(1));
            using HttpResponseMessage ended = await api.Http.DeleteAsync($"/v1/invalidations/{taken.GetProperty("id").GetInt64()}");
            JsonElement given = await ended.Content.ReadFromJsonAsync<JsonElement>();
            await DoneAsync(api.Http, "/v1/reconciliations", given.GetProperty("revoking_run").GetInt64());
            Assert.Equal(Recount.Of(lines).ByAdMinute.Values.Sum(), await TotalAsync(api.Http, range));
        }

        (int exitCode, string said) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_settings]);
        Assert.True(exitCode == 0, said);
        Assert.Contains(" 0 windows differ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("faults:", said, StringComparison.Ordinal);
    }

    private static string WithUser(string line, int number)
    {
        JsonObject click = JsonNode.Parse(line)!.AsObject();
        click["user_id"] = number % 97 == 3 ? Person : $"user-{number % 89}";
        return click.ToJsonString(JsonSerializerOptions.Default);
    }

    private static Task MovedAsync(DataFolder data, long clicks) => Eventually.Async(
        "every click is archived, and some moved into the table",
        async () => await AskAsync(data, "clicks", "true") > 0 && (await ArchivedClicks.WalkAsync(data.File("archive"))).Ids().Count == clicks,
        TimeSpan.FromMinutes(2));

    private static int Erasures(DataFolder data) => Directory.EnumerateFiles(data.File("archive/manifest"), "*.json", SearchOption.AllDirectories)
        .Count(file => File.ReadAllText(file).Contains("\"cause\": \"erase\"", StringComparison.Ordinal));

    /// <summary>Clicks of a user in any file of the archive.</summary>
    private static async Task<long> CountAsync(DataFolder data, string user) =>
        await AskAsync(data, "clicks", $"user_id = '{user}'") + await AskAsync(data, "inbox", $"user_id = '{user}'");

    private static async Task<long> AskAsync(DataFolder data, string folder, string where)
    {
        if (!Directory.Exists(data.File("archive/" + folder)) || !Directory.EnumerateFiles(data.File("archive/" + folder), "*.parquet", SearchOption.AllDirectories).Any())
        {
            return 0;
        }

        await using var duck = new DuckDBConnection("DataSource=:memory:");
        await duck.OpenAsync();
        await using DuckDBCommand command = duck.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM read_parquet('{data.File("archive/" + folder)}/**/*.parquet') WHERE {where}";
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    private static async Task<long> TotalAsync(HttpClient http, string range)
    {
        string query = range.Replace("\"", "", StringComparison.Ordinal).Replace("from:", "from=", StringComparison.Ordinal).Replace(",to:", "&to=", StringComparison.Ordinal);
        using var answer = JsonDocument.Parse(await http.GetStringAsync($"/v1/clicks/total?{query}"));
        return answer.RootElement.GetProperty("clicks").GetInt64();
    }

    private static async Task<JsonElement> OrderAsync(HttpClient http, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await http.PostAsync(path, content);
        Assert.True((int)answer.StatusCode == 202, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<JsonElement> DoneAsync(HttpClient http, string path, long id)
    {
        JsonElement last = default;
        await Eventually.Async(
            $"{path}/{id} is done",
            async () =>
            {
                using HttpResponseMessage answer = await http.GetAsync($"{path}/{id}");
                last = await answer.Content.ReadFromJsonAsync<JsonElement>();
                return last.GetProperty("state").GetString() == "done";
            },
            TimeSpan.FromMinutes(3));
        return last;
    }

    private static string Instant(long minute) => DateTimeOffset.FromUnixTimeSeconds(minute * 60).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
