using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;
using ClickAggregator.SystemTests.Reconciliation;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.SystemTests;

public class CommandTests
{
    [Fact]
    public async Task Verify_agrees_with_what_was_counted_and_names_a_window_that_was_changed()
    {
        using var data = new DataFolder();
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await RealClicksTests.SendAsync(api.Http, [.. RealClicks.Lines.Take(5000), .. RealClicks.Lines.Take(100)]);
            await Answers.CountedToTheEndAsync(api.Http);
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        (int exitCode, string output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.Contains("5,000 counted, 5,000 recounted, 0 windows differ", output, StringComparison.Ordinal);
        Assert.Equal(0, exitCode);

        await using (var store = new SqliteConnection($"Data Source={data.File("store.db")};Pooling=False"))
        {
            await store.OpenAsync();
            await using SqliteCommand damage = store.CreateCommand();
            damage.CommandText = "DELETE FROM clicks_by_hour WHERE series = (SELECT series FROM clicks_by_hour WHERE series LIKE 'ad:%' LIMIT 1)";
            Assert.True(await damage.ExecuteNonQueryAsync() > 0);
        }

        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.Equal(1, exitCode);
        Assert.Matches(@"[1-9]\d* windows differ", output);
        Assert.Contains("ad:", output, StringComparison.Ordinal);
        Assert.DoesNotContain("cannot be read", output, StringComparison.Ordinal);

        // What is damaged is not passed over in silence.
        string file = Directory.GetFiles(data.File("log/p0000"), "*.log").Single();
        byte[] bytes = await File.ReadAllBytesAsync(file);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.Equal(1, exitCode);
        Assert.Matches(@"\n[1-9]\d* records of the log cannot be read", output);
    }

    [Fact]
    public async Task Verify_names_finalisations_and_history_that_are_gone_without_a_trace()
    {
        using var data = new DataFolder();
        const int hours = 48;
        long first = RealClicks.Lines.Take(500).Min(TimeOf) / 3_600_000;
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, "--Archive:MaxAge=1s"))
        {
            await RealClicksTests.SendAsync(api.Http, [.. RealClicks.Lines.Take(500).Where(line => TimeOf(line) / 3_600_000 < first + hours)]);
            await Answers.CountedToTheEndAsync(api.Http);
            await Eventually.Async(
                "the run of the schedule is done",
                async () => (await api.Http.GetFromJsonAsync<JsonElement>("/v1/reconciliations")).GetProperty("items").EnumerateArray().Any(run => run.GetProperty("state").GetString() == "done"),
                TimeSpan.FromMinutes(2));
            await RealClicksTests.SendAsync(api.Http, [string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"click_id\":\"late-1\",\"ad_id\":\"late\",\"timestamp\":{(first * 3_600_000) + 1}}}")]);
            await Answers.CountedToTheEndAsync(api.Http);
            JsonElement run = await Runs.RunAsync(api.Http, first, first + 1);
            Assert.True(run.GetProperty("state").GetString() == "done", run.ToString());
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        var store = new StoreFile(data);
        (int exitCode, string output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.True(exitCode == 0, output);
        Assert.Contains("rows of earlier versions, 0 gone or altered", output, StringComparison.Ordinal);

        // The last object looks like one in the making, and the whole archive as if nothing had been archived; but for what the store says.
        string last = new DirectoryInfo(data.File("archive")).EnumerateFiles("*.parquet", SearchOption.AllDirectories).MaxBy(file => file.LastWriteTimeUtc)!.FullName;
        File.Move(last, data.File("last"));
        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.True(exitCode == 1, output);
        Assert.Matches(@"archive of chain \d: entry \d+ of its manifest was complete, and is no more: (clicks|inbox)/\S+ of the archive is gone", output);
        Directory.Move(data.File("archive"), data.File("away"));
        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.True(exitCode == 1, output);
        Assert.Matches(@"archive of chain \d: its manifest had \d+ complete entries, and 0 are there", output);
        Directory.Move(data.File("away"), data.File("archive"));
        File.Move(data.File("last"), last);

        store.Run("CREATE TABLE kept AS SELECT * FROM final_hours");
        Assert.Equal(1, store.Run("DELETE FROM final_hours WHERE (hour, chain) = (SELECT hour, chain FROM final_hours WHERE versions NOT LIKE '%,%' LIMIT 1)"));
        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.True(exitCode == 1, output);
        Assert.Matches(@"hour \S+ of chain \d was in a run, and its row of final_hours is gone", output);
        Assert.Matches(@"run \d+ made hours of chains final \d+ times, from \S+ to \S+, and 1 of these are in no row of final_hours", output);
        store.Run("DELETE FROM final_hours; INSERT INTO final_hours SELECT * FROM kept");

        Assert.True(store.Run("DELETE FROM history WHERE series = 'ad:late'; DELETE FROM history_marks WHERE series = 'ad:late'") > 0);
        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.True(exitCode == 1, output);
        Assert.Matches(@"run \d+ kept \d+ rows of earlier versions, of hours from \S+ to \S+, and 1 of them are gone with their marks", output);

        static long TimeOf(string line)
        {
            using var json = JsonDocument.Parse(line);
            JsonElement time = json.RootElement.GetProperty("timestamp");
            return time.ValueKind == JsonValueKind.Number ? time.GetInt64() : time.GetDateTimeOffset().ToUnixTimeMilliseconds();
        }
    }

    [Fact]
    public async Task Verify_names_day_rows_and_top_lists_that_are_not_as_their_windows()
    {
        using var data = new DataFolder();
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await RealClicksTests.SendAsync(api.Http, [.. RealClicks.Lines.Take(3000)]);
            await Answers.CountedToTheEndAsync(api.Http);
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        (int exitCode, string output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.True(exitCode == 0, output);
        Assert.Contains("0 day rows and 0 top lists differ from the windows", output, StringComparison.Ordinal);

        var store = new StoreFile(data);
        int hour = (int)store.Number("SELECT hour FROM clicks_by_hour WHERE series LIKE 'ad:%' ORDER BY hour LIMIT 1");
        int chain = (int)store.Number($"SELECT chain FROM tops WHERE slice = 1 AND start = {hour} LIMIT 1");
        string name = DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-ddTHH", System.Globalization.CultureInfo.InvariantCulture);
        string day = name[..10];
        string of = $"day = {hour / 24} AND chain = {chain}";
        string ad = store.Text($"SELECT series FROM clicks_by_hour WHERE series LIKE 'ad:%' AND hour = {hour} AND chain = {chain} LIMIT 1");
        foreach ((string damage, string named, string summary) in new[]
        {
            ($"DELETE FROM clicks_by_day WHERE series = '{ad}' AND {of}", $"{ad} day {day} chain {chain}: hour {name[11..]} -", "1 day rows and 1 top lists differ"),
            ($"UPDATE clicks_by_day SET quarters = x'0001' WHERE series = 'total' AND {of}", $"total day {day} chain {chain}: hour ", "1 day rows and 0 top lists differ"),
            ($"INSERT INTO clicks_by_day SELECT 'kind:none', day, chain, quarters, stamp, 0 FROM clicks_by_day WHERE series = 'total' AND {of}", $"kind:none day {day} chain {chain}: hour ", "1 day rows and 0 top lists differ"),
            ($"INSERT INTO clicks_by_day SELECT 'kind:none', day, 99, x'', stamp, 0 FROM clicks_by_day WHERE series = 'total' AND {of}; UPDATE clicks_by_day SET quarters = x'0001' WHERE chain = 99", "kind:none day " + day + " chain 99: there is no such chain", "and 1 rows are of no chain"),
            ($"DELETE FROM tops WHERE slice = 1 AND start = {hour} AND chain = {chain}", $"top ads of hour {name}Z chain {chain}: not there, and ad:", "0 day rows and 1 top lists differ"),
            ($"UPDATE tops SET entries = x'027a7a05' WHERE slice = 2 AND start = {hour / 24} AND chain = {chain}", $"top ads of day {day} chain {chain}: ", "0 day rows and 1 top lists differ"),
            ($"INSERT INTO tops VALUES (2, 1, {hour}, {chain}, x'027a7a05', 0, 1)", $"top videos of hour {name}Z chain {chain}: video:zz with 5, which has 0", "0 day rows and 1 top lists differ"),
        })
        {
            File.Copy(data.File("store.db"), data.File("kept.db"), overwrite: true);
            Assert.True(store.Run(damage) > 0, damage);
            (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
            Assert.True(exitCode == 1, $"{damage}: {output}");
            Assert.Contains(" 0 windows differ", output, StringComparison.Ordinal);
            Assert.Contains(named, output, StringComparison.Ordinal);
            Assert.Contains(summary, output, StringComparison.Ordinal);
            File.Move(data.File("kept.db"), data.File("store.db"), overwrite: true);
        }
    }

    [Fact]
    public async Task A_backup_taken_while_clicks_come_in_opens_and_agrees_with_itself()
    {
        using var data = new DataFolder();
        using var backups = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
        Task sending = RealClicksTests.SendAsync(api.Http, [.. RealClicks.Lines.Take(20_000)]);
        await Eventually.Async("something is counted", async () => await Answers.ClicksAsync(api.Http, "/v1/clicks/total?from=2012-12-31&to=2013-04-01") > 0, TimeSpan.FromSeconds(30));
        string copy = backups.File("copy");
        (int exitCode, string output) = await ApiProcess.RunAsync("backup", copy, "--data", data.Path);
        Assert.True(exitCode == 0, output);
        await sending;

        await using (ApiProcess restored = await ApiProcess.StartAsync(copy))
        {
            await Answers.CountedToTheEndAsync(restored.Http);
            Assert.InRange(await Answers.ClicksAsync(restored.Http, "/v1/clicks/total?from=2012-12-31&to=2013-04-01"), 1, 20_000);
        }

        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", copy);
        Assert.Contains(" 0 windows differ", output, StringComparison.Ordinal);
        Assert.Equal(0, exitCode);
    }

    [Fact]
    public async Task A_second_process_on_the_same_data_directory_refuses_to_start_and_says_why()
    {
        using var data = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path);
        (int exitCode, string output) = await ApiProcess.RunAsync("--data", data.Path, "--urls", "http://127.0.0.1:0");
        Assert.NotEqual(0, exitCode);
        Assert.Contains("in use by another process", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_asked_to_stop_while_it_starts_ends_without_a_fault()
    {
        using var data = new DataFolder();
        await using ProgramProcess api = ProgramProcess.Start("Api", ["--data", data.Path, "--urls", "http://127.0.0.1:0"]);
        await Eventually.Async("it has opened its store", () => Task.FromResult(File.Exists(data.File("store.db"))), TimeSpan.FromMinutes(1), atOnce: true);
        api.Signal(15);
        int code = await api.WaitForExitAsync();
        Assert.True(code == 0, $"it ended with {code}:\n{api.Output}");
        Assert.DoesNotContain("Exception", api.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_was_replaced_stops_the_counting_until_it_is_adopted()
    {
        const string Range = "from=2012-12-31&to=2013-04-01";
        using var data = new DataFolder();
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await RealClicksTests.SendAsync(api.Http, [.. RealClicks.Lines.Take(3000)]);
            await Answers.CountedToTheEndAsync(api.Http);
            api.Signal(15);
            await api.WaitForExitAsync();
        }

        Directory.Delete(data.File("log"), recursive: true);
        File.Delete(data.File("log-id"));
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await RealClicksTests.SendAsync(api.Http, [.. RealClicks.Lines.Skip(3000).Take(2000)]);
            await Eventually.Async("the partitions say log_replaced", async () =>
                (await api.Http.GetStringAsync("/v1/status")).Split("log_replaced: ").Length == 5, TimeSpan.FromSeconds(30));
            Assert.Equal(3000, await Answers.ClicksAsync(api.Http, $"/v1/clicks/total?{Range}"));
            api.Signal(15);
            await api.WaitForExitAsync();
            Assert.Single(api.Output.Split('\n'), line => line.Contains("stands still: log_replaced", StringComparison.Ordinal));
        }

        (int exitCode, string output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.Equal(1, exitCode);
        Assert.Contains("nothing to compare", output, StringComparison.Ordinal);

        (exitCode, output) = await ApiProcess.RunAsync("adopt-log", "--log", "another", "--data", data.Path);
        Assert.Equal(1, exitCode);
        Assert.Contains("not another", output, StringComparison.Ordinal);

        // By other settings than the server's: it would end what is counted.
        string id = (await File.ReadAllTextAsync(data.File("log-id"))).Trim();
        (exitCode, output) = await ApiProcess.RunAsync("adopt-log", "--log", id, "--data", data.Path, "--Rollups", "total", "--Rollups", "target", "--Rollups", "campaign|device");
        Assert.Equal(2, exitCode);
        Assert.Matches(@"clicks are counted by .*kind.*, and the setting Rollups has total, target, campaign\|device: that would switch it off", output);
        Assert.Contains("--other-rollups switch-off", output, StringComparison.Ordinal);

        (exitCode, output) = await ApiProcess.RunAsync("adopt-log", "--log", id, "--data", data.Path);
        Assert.True(exitCode == 0, output);
        Assert.Equal(4, Regex.Count(output, @"  the log \S+ was counted up to offset \d+: what it held from there on is in no count"));
        await using (ApiProcess again = await ApiProcess.StartAsync(data.Path))
        {
            await Answers.CountedToTheEndAsync(again.Http);
            Assert.Equal(5000, await Answers.ClicksAsync(again.Http, $"/v1/clicks/total?{Range}"));
            again.Signal(15);
            await again.WaitForExitAsync();
        }

        // The log that is there holds the new clicks alone, and is held against their windows alone.
        (exitCode, output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.Contains("2,000 counted, 2,000 recounted, 0 windows differ", output, StringComparison.Ordinal);
        Assert.Contains("of another log", output, StringComparison.Ordinal);
        Assert.Equal(0, exitCode);
    }
}
