using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Kafka;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using Confluent.Kafka;

namespace ClickAggregator.SystemTests.Reconciliation;

/// <summary>The program itself: damage is mended by a run in republish mode that is killed on its way and goes on.</summary>
public class RepublishTests(KafkaServer kafka, ITestOutputHelper output)
{
    private const int Clicks = 2000;
    private static readonly string[] s_settings = ["--Archive:MaxAge=1s", "--ClickLog:Partitions=2", "--Reconciliation:Mode=republish"];

    [Fact]
    public async Task Damage_is_mended_by_a_run_that_was_killed_on_its_way_through_click_logs()
    {
        using var data = new DataFolder();
        await MendAsync(data, () => ApiProcess.StartAsync(data.Path, s_settings), ready: () => Directory.Exists(data.File("replay")) && Directory.GetDirectories(data.File("replay")).Length > 0);
        Assert.Empty(Directory.GetFileSystemEntries(data.File("replay")));

        // Of windows that were corrected and then clicked, the ledger says the one part and the log the other.
        (int exitCode, string verified) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_settings]);
        Assert.True(exitCode == 0, verified);
        Assert.Contains($"{Clicks + 1:N0} counted, {Clicks + 1:N0} recounted, 0 windows differ", verified, StringComparison.Ordinal);
        Assert.Matches("[1-9][0-9]* of them got clicks since", verified);
        Assert.True(new StoreFile(data).Run("UPDATE clicks_by_hour SET quarters = x'007f', minutes = NULL WHERE series = 'total' AND hour = (SELECT min(hour) FROM clicks_by_hour)") > 0);
        (exitCode, verified) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_settings]);
        Assert.True(exitCode == 1 && verified.Contains("windows differ: ", StringComparison.Ordinal), verified);
    }

    [Fact]
    public async Task Damage_is_mended_by_a_run_that_was_killed_on_its_way_through_Kafka()
    {
        using KafkaProgram program = await KafkaProgram.NewAsync(kafka);
        await MendAsync(program.Folder, () => program.StartAsync(s_settings), ready: null);
        Assert.False(Directory.Exists(Path.Combine(program.Data, "replay")));
        List<ConsumeResult<byte[], byte[]>> replayed = program.Read(program.Topic + "-replay");
        Assert.True(replayed.Count >= Clicks * 9 / 10, $"{replayed.Count} clicks went through the topic");
        Assert.All(replayed, record => Assert.Equal(
            ["replay", "run", "chain", "hour", "partition", "offset", "timestamp", "taken"], record.Message.Headers.Select(header => header.Key)));
    }

    private async Task MendAsync(DataFolder data, Func<Task<ApiProcess>> start, Func<bool>? ready)
    {
        List<string> lines = [.. RealClicks.Lines.Take(Clicks)];
        Recount truth = Recount.Of(lines);
        string from = Hour(truth.ByAdMinute.Keys.Min(key => key.Minute) / 60);
        string to = Hour((truth.ByAdMinute.Keys.Max(key => key.Minute) / 60) + 1);
        string run;
        await using (ApiProcess api = await start())
        {
            using HttpResponseMessage posted = await api.Http.PostAsync("/v1/clicks", new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson"));
            Assert.Equal(HttpStatusCode.Accepted, posted.StatusCode);
            await Answers.AgreeAsync(api.Http, truth);
            JsonElement clean = await EndedAsync(api.Http, await OrderAsync(api.Http, from, to));
            Assert.True(clean.GetProperty("state").GetString() == "done", clean.ToString());
            Assert.Equal(("republish", 0), (clean.GetProperty("mode").GetString(), clean.GetProperty("corrections").GetInt64()));
            Assert.True(clean.GetProperty("clicks_read").GetInt64() > 0);

            var store = new StoreFile(data);
            Assert.True(store.Run("DELETE FROM clicks_by_hour WHERE series LIKE 'ad:%' AND length(series) % 3 = 0") > 0);
            Assert.True(store.Run("UPDATE clicks_by_hour SET quarters = (SELECT quarters FROM clicks_by_hour WHERE series = 'total' LIMIT 1) WHERE series = 'total'") > 0);
            run = await OrderAsync(api.Http, from, to);
            await Eventually.Async(
                "the run is under way",
                async () => ready?.Invoke() == true || (await RunAsync(api.Http, run)).GetProperty("hours_done").GetInt64() > 0, TimeSpan.FromMinutes(1), atOnce: true);
            api.Kill();
        }

        await using ApiProcess next = await start();
        output.WriteLine((await RunAsync(next.Http, run)).ToString());
        JsonElement ended = await EndedAsync(next.Http, run);
        output.WriteLine(ended.ToString());
        Assert.Equal("done", ended.GetProperty("state").GetString());
        await Answers.AgreeAsync(next.Http, truth, eachHour: true);
        Assert.Equal(0, (await EndedAsync(next.Http, await OrderAsync(next.Http, from, to))).GetProperty("corrections").GetInt64());

        string late = lines[0].Replace("\"click_id\":\"", "\"click_id\":\"late-", StringComparison.Ordinal);
        Assert.NotEqual(lines[0], late);
        using HttpResponseMessage more = await next.Http.PostAsync("/v1/clicks", new StringContent(late, Encoding.UTF8, "application/x-ndjson"));
        Assert.Equal(HttpStatusCode.Accepted, more.StatusCode);
        truth.Add(late);
        await Answers.AgreeAsync(next.Http, truth);
        next.Signal(15);
        await next.WaitForExitAsync();
    }

    private static async Task<string> OrderAsync(HttpClient http, string from, string to)
    {
        using HttpResponseMessage answer = await http.PostAsJsonAsync("/v1/reconciliations", new { from, to, mode = "republish" });
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
        return answer.Headers.Location!.ToString();
    }

    private static async Task<JsonElement> RunAsync(HttpClient http, string run)
    {
        using var json = JsonDocument.Parse(await http.GetStringAsync(run));
        return json.RootElement.Clone();
    }

    private static async Task<JsonElement> EndedAsync(HttpClient http, string run)
    {
        JsonElement last = default;
        await Eventually.Async(
            $"{run} ends",
            async () => (last = await RunAsync(http, run)).GetProperty("state").GetString()!.StartsWith("done", StringComparison.Ordinal), TimeSpan.FromMinutes(2));
        return last;
    }

    private static string Hour(long hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
