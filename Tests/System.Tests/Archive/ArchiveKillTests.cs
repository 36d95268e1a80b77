using System.Globalization;
using System.Text;
using System.Text.Json;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Archive;

/// <summary>Accepted is archived: whatever was answered 202 is in the archive once, after kill -9 at random moments.</summary>
public class ArchiveKillTests(ITestOutputHelper output)
{
    private static readonly string[] s_settings = ["--Archive:MaxAge=1s", "--Archive:MaxObjectBytes=64 KiB", "--ClickLog:Partitions=2"];

    [Fact]
    public async Task Killed_at_random_moments_it_archives_every_accepted_click_once()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var data = new DataFolder();
        var load = new Load(seed);
        int old = 0;
        for (int kill = 0; kill < 3; kill++)
        {
            await using ApiProcess api = await ApiProcess.StartAsync(data.Path, s_settings);
            await PostOldAsync(api.Http, seed, ref old);
            await load.DuringAsync(api.Http, async () =>
            {
                await Task.Delay(random.Next(500, 2500)); // the moment of the kill is what is random here
                api.Kill();
            });
        }

        await using ApiProcess last = await ApiProcess.StartAsync(data.Path, s_settings);
        await PostOldAsync(last.Http, seed, ref old);
        await Answers.CountedToTheEndAsync(last.Http);
        long[] ends = await EndsAsync(last.Http);
        ArchivedClicks archive = null!;
        string stands = "";
        await Eventually.Async(
            "all that is in the log is archived, and hours that are over have moved",
            async () =>
            {
                archive = await ArchivedClicks.WalkAsync(data.File("archive"));
                string now = string.Join('\n', archive.Reports.Select(report => $"{report.Chain}: {report.Upto} of {ends[report.Chain.Partition]}, {string.Join(", ", report.Faults)}"));
                if (now != stands)
                {
                    output.WriteLine(stands = now);
                }

                return archive.Reports.Count == ends.Length && archive.Reports.All(report => report.Upto == ends[report.Chain.Partition] && report.Faults.Count == 0)
                    && archive.TableRows() > 0;
            },
            TimeSpan.FromMinutes(1));

        string[] ids = [.. archive.Ids()];
        output.WriteLine($"{ids.Length} clicks, {load.Accepted.Count} accepted, {load.Unknown.Count} unknown; entries {string.Join(", ", archive.Reports.Select(report => report.Entries))}");
        Assert.NotEmpty(load.Accepted);
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.Empty(load.Accepted.Keys.Except(ids));
        Assert.Empty(ids.Where(id => id.StartsWith("k-", StringComparison.Ordinal)).Except(load.Accepted.Keys).Except(load.Unknown.Keys));
        Assert.Equal(old, ids.Count(id => id.StartsWith("old-", StringComparison.Ordinal)));
        Assert.All(archive.Reports, report => Assert.Empty(report.Lost));
    }

    /// <summary>Clicks of hours that are over: they move into the table as soon as they are archived, unless others of their hour did before.</summary>
    private static Task PostOldAsync(HttpClient http, int seed, ref int old)
    {
        var body = new StringBuilder();
        long now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (int n = 0; n < 100; n++)
        {
            body.Append(CultureInfo.InvariantCulture, $"{{\"click_id\":\"old-{seed}-{old}\",\"ad_id\":\"ad-{n % 7}\",\"timestamp\":{now - (3_600_000L * (3 + (old % 5)))}}}\n");
            old++;
        }

        return PostAsync(http, body.ToString());
    }

    private static async Task PostAsync(HttpClient http, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage answer = await http.PostAsync("/v1/clicks", content);
        Assert.Equal(202, (int)answer.StatusCode);
    }

    private static async Task<long[]> EndsAsync(HttpClient http)
    {
        using var status = JsonDocument.Parse(await http.GetStringAsync("/v1/status"));
        return [.. status.RootElement.GetProperty("partitions").EnumerateArray()
            .OrderBy(partition => partition.GetProperty("partition").GetInt32()).Select(partition => partition.GetProperty("end").GetInt64())];
    }
}
