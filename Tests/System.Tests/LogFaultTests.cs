using System.Text.Json;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests;

/// <summary>The click log is an older one, or has lost what was not counted.</summary>
public class LogFaultTests
{
    private const string Total = "/v1/clicks/total?last=6h";

    [Fact]
    public async Task A_log_restored_from_an_older_copy_stops_the_counting_also_once_it_has_grown_and_says_so()
    {
        using var data = new DataFolder();
        using var copies = new DataFolder();
        await CountAsync(data, "a", 300, 300);
        Copy(data.File("log"), copies.File("log"));
        File.Copy(data.File("store.db"), copies.File("store.db"));
        await CountAsync(data, "b", 500, 800);
        Directory.Delete(data.File("log"), recursive: true);
        Copy(copies.File("log"), data.File("log"));

        string logId = (await File.ReadAllTextAsync(data.File("log-id"))).Trim();
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await SaysAsync(api, "log_shorter: ");
            Assert.Contains(logId, await DetailAsync(api), StringComparison.Ordinal);

            // Clicks are still accepted, and soon the log is as long as what was counted.
            await MadeClicks.PostAsync(api.Http, "c", 700);
            await SaysAsync(api, "log_differs: ");
            Assert.Equal(800, await Answers.ClicksAsync(api.Http, Total));
            decimal lag = await LagAsync(api.Http);
            await Eventually.Async("lag_seconds grows", async () => await LagAsync(api.Http) > lag + 0.2m, TimeSpan.FromSeconds(30));
            api.Kill();
        }

        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await SaysAsync(api, "log_differs: ");
            Assert.Equal(800, await Answers.ClicksAsync(api.Http, Total));
            Assert.True(await LagAsync(api.Http) > 0);
            api.Kill();
        }

        // As it says: the store of the same time.
        foreach (string file in Directory.GetFiles(data.Path, "store.db*"))
        {
            File.Delete(file);
        }

        File.Copy(copies.File("store.db"), data.File("store.db"));
        await using ApiProcess restored = await ApiProcess.StartAsync(data.Path);
        await Answers.CountedToTheEndAsync(restored.Http);
        Assert.Equal(1000, await Answers.ClicksAsync(restored.Http, Total));
    }

    [Fact]
    public async Task A_store_older_than_its_log_catches_up_by_itself()
    {
        using var data = new DataFolder();
        using var copies = new DataFolder();
        await CountAsync(data, "a", 300, 300);
        File.Copy(data.File("store.db"), copies.File("store.db"));
        await CountAsync(data, "b", 500, 800);
        File.Copy(copies.File("store.db"), data.File("store.db"), overwrite: true);
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
        await Answers.CountedToTheEndAsync(api.Http);
        Assert.Equal(800, await Answers.ClicksAsync(api.Http, Total));
    }

    [Fact]
    public async Task Clicks_that_the_log_lost_before_they_were_counted_are_named_for_ever_and_the_rest_is_counted()
    {
        const string Range = "from=2012-12-31&to=2013-04-01";
        string[] lines = [.. RealClicks.Lines.Take(30_000)];
        using var data = new DataFolder();
        string[] small = ["--ClickLog:Partitions=1", "--ClickLog:SegmentBytes=1MiB"];
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, small))
        {
            await RealClicksTests.SendAsync(api.Http, lines);
            await Answers.CountedToTheEndAsync(api.Http);
            await StopAsync(api);
        }

        foreach (string file in Directory.GetFiles(data.Path, "store.db*"))
        {
            File.Delete(file);
        }

        string[] segments = [.. Directory.GetFiles(data.File("log/p0000"), "*.log").Order(StringComparer.Ordinal)];
        Assert.True(segments.Length > 1, "one segment is too few");
        long lost = long.Parse(Path.GetFileNameWithoutExtension(segments[1]), System.Globalization.CultureInfo.InvariantCulture);
        File.Delete(segments[0]);
        for (int start = 0; start < 2; start++)
        {
            await using ApiProcess api = await ApiProcess.StartAsync(data.Path, small);
            await Answers.CountedToTheEndAsync(api.Http);
            Assert.Equal(lines.Length - lost, await Answers.ClicksAsync(api.Http, $"/v1/clicks/total?{Range}"));
            using var status = JsonDocument.Parse(await api.Http.GetStringAsync("/v1/status"));
            JsonElement named = status.RootElement.GetProperty("partitions")[0].GetProperty("lost")[0];
            Assert.Equal((0, lost), (named.GetProperty("from").GetInt64(), named.GetProperty("to").GetInt64()));
            await StopAsync(api);
        }
    }

    private static async Task CountAsync(DataFolder data, string prefix, int clicks, long total)
    {
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path, "--ClickLog:Partitions=1");
        await MadeClicks.PostAsync(api.Http, prefix, clicks);
        await Answers.CountedToTheEndAsync(api.Http);
        Assert.Equal(total, await Answers.ClicksAsync(api.Http, Total));
        await StopAsync(api);
    }

    private static Task SaysAsync(ApiProcess api, string what) => Eventually.Async(
        $"the partition says {what}", async () => (await DetailAsync(api)).StartsWith(what, StringComparison.Ordinal), TimeSpan.FromSeconds(30));

    private static async Task<string> DetailAsync(ApiProcess api)
    {
        using var status = JsonDocument.Parse(await api.Http.GetStringAsync("/v1/status"));
        return status.RootElement.GetProperty("partitions")[0].GetProperty("detail").GetString() ?? "";
    }

    private static async Task<decimal> LagAsync(HttpClient http)
    {
        using var answer = JsonDocument.Parse(await http.GetStringAsync(Total));
        return answer.RootElement.GetProperty("lag_seconds").GetDecimal();
    }

    private static async Task StopAsync(ApiProcess api)
    {
        api.Signal(15);
        await api.WaitForExitAsync();
    }

    private static void Copy(string from, string to)
    {
        foreach (string folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories).Prepend(from))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }

        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
    }
}
