using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ClickAggregator.ClickLog;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.SystemTests.Archive;

/// <summary>When the log has let go of clicks, <c>verify</c> counts them from the archive.</summary>
public class ArchiveRecountTests
{
    private static readonly string[] s_log = ["--ClickLog:Partitions=1", "--ClickLog:SegmentBytes=1 MiB"];

    [Fact]
    public async Task What_the_log_has_no_more_is_recounted_from_the_archive_and_what_differs_from_it_is_named()
    {
        string[] lines = [.. RealClicks.Lines.Take(30_000)];
        string[] late = [.. RealClicks.Lines.Skip(30_000).Take(2_000)];
        using var data = new DataFolder();
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, [.. s_log, "--Archive:MaxAge=1s", "--Archive:MaxObjectBytes=256 KiB"]))
        {
            await RealClicksTests.SendAsync(api.Http, [.. lines, .. lines.Take(500)]);
            await Answers.CountedToTheEndAsync(api.Http);
            await Eventually.Async(
                "every click is archived",
                async () => (await ArchivedClicks.WalkAsync(data.File("archive"))).Reports.Sum(report => report.Clicks) == lines.Length + 500,
                TimeSpan.FromMinutes(2));
            await StopAsync(api);
        }

        long start = await RemoveClosedFilesAsync(data);
        Assert.InRange(start, 10_000, 29_999);

        // Clicks of the same hours, which only the log has.
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, [.. s_log, "--Archive:MaxAge=1h"]))
        {
            await RealClicksTests.SendAsync(api.Http, late);
            await Answers.CountedToTheEndAsync(api.Http);
            await StopAsync(api);
        }

        // As if it had been stopped in the middle of moving clicks: it takes nothing from what the archive says.
        await BeginAnEntryAsync(data.File("archive"));
        (int code, string said) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_log]);
        Assert.True(said.Contains("32,000 counted, 32,000 recounted, 0 windows differ", StringComparison.Ordinal), said);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"partition 0: the log starts at offset {start}; windows before "), said, StringComparison.Ordinal);
        Assert.Contains("30,500 clicks were recounted from the archive; 0 of them are marked", said, StringComparison.Ordinal);
        Assert.Contains("is not there, or not rewritten yet", said, StringComparison.Ordinal);
        Assert.True(code == 0, said);

        // The archive keeps clicks for longer than the store keeps windows.
        (code, said) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_log, "--Retention:Days=90d"]);
        Assert.Contains("0 counted, 0 recounted, 0 windows differ", said, StringComparison.Ordinal);
        Assert.Contains("windows were left out", said, StringComparison.Ordinal);
        Assert.True(code == 0, said);

        Assert.True(new StoreFile(data).Run("DELETE FROM clicks_by_hour WHERE series = (SELECT series FROM clicks_by_hour WHERE series LIKE 'ad:%' ORDER BY hour LIMIT 1)") > 0);
        (code, said) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_log]);
        Assert.Matches(@"\n  ad:\S+ hour 20", said);
        Assert.Matches(@"[1-9]\d* windows differ", said);
        Assert.Equal(1, code);

        // An archive that is damaged proves nothing. All of it: a file that was merged into another one is looked at by nobody any more.
        foreach (string archived in Directory.GetFiles(data.File("archive"), "*.parquet", SearchOption.AllDirectories))
        {
            byte[] bytes = await File.ReadAllBytesAsync(archived);
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(archived, bytes);
        }

        (code, said) = await ApiProcess.RunAsync(["verify", "--data", data.Path, .. s_log]);
        Assert.Contains("is not what was written", said, StringComparison.Ordinal);
        Assert.Contains("the archive cannot say what they were", said, StringComparison.Ordinal);
        Assert.DoesNotContain("recounted from the archive", said, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    private static async Task StopAsync(ApiProcess api)
    {
        api.Signal(15);
        await api.WaitForExitAsync();
    }

    /// <summary>An entry behind the last one, whose object is still to be written; none where the last one waits for its own.</summary>
    private static async Task BeginAnEntryAsync(string archive)
    {
        if ((await ArchivedClicks.WalkAsync(archive)).Reports.Single().Open.Count > 0)
        {
            return;
        }

        string last = Directory.GetFiles(Path.Combine(archive, "manifest"), "*.json", SearchOption.AllDirectories).Max(StringComparer.Ordinal)!;
        byte[] bytes = await File.ReadAllBytesAsync(last);
        JsonNode entry = JsonNode.Parse(bytes)!;
        long number = (long)entry["number"]! + 1;
        entry["number"] = number;
        entry["previous"] = Convert.ToHexStringLower(SHA256.HashData(bytes));
        JsonNode added = entry["adds"]![0]!;
        added["key"] = ((string)added["key"]!).Replace(".parquet", "9.parquet", StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            Path.Combine(Path.GetDirectoryName(last)!, string.Create(CultureInfo.InvariantCulture, $"{number:D12}.json")), entry.ToJsonString());
    }

    /// <summary>Lets the log go of all that it may, as if its retention were over; answers where it starts then.</summary>
    private static async Task<long> RemoveClosedFilesAsync(DataFolder data)
    {
        await using PartitionedClickLog log = await PartitionedClickLog.OpenAsync(
            new ClickLogOptions { Directory = data.Path, Partitions = 1, SegmentBytes = 1 << 20, Retention = TimeSpan.Zero },
            TimeProvider.System,
            NullLoggerFactory.Instance,
            CancellationToken.None);
        log.RemoveSegments(0, log.GetRange(0).End);
        return log.GetRange(0).Start;
    }
}
