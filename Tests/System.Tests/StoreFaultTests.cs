using System.Globalization;
using System.Text.Json;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests;

/// <summary>The store refuses, is away, or holds what a foreign client wrote: the numbers are right, or say that they are not.</summary>
public class StoreFaultTests
{
    private const string Total = "/v1/clicks/total?last=6h";

    [Fact]
    public async Task A_batch_that_was_half_written_at_a_kill_is_counted_to_its_end_with_nothing_sent()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);
        await HalfCountedAsync(data, store, 300, async api =>
        {
            store.Refuse("total");
            await MadeClicks.PostAsync(api.Http, "a", 300);
        });
        Assert.Equal(0, store.Number("SELECT count(*) FROM clicks_by_hour WHERE series = 'total'"));

        await using ApiProcess again = await ApiProcess.StartAsync(data.Path);
        await Answers.CountedToTheEndAsync(again.Http);
        Assert.Equal(300, await Answers.ClicksAsync(again.Http, Total));
        Assert.Equal(300, await Answers.ClicksAsync(again.Http, "/v1/ads/clicks?last=6h"));
        for (int ad = 0; ad < 10; ad++)
        {
            Assert.Equal(30, await Answers.ClicksAsync(again.Http, $"/v1/ads/ad-{ad}/clicks?last=6h"));
        }
    }

    [Fact]
    public async Task A_batch_that_was_half_written_keeps_its_rules_after_a_start_with_others()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);
        await HalfCountedAsync(
            data,
            store,
            3,
            async api =>
            {
                // The first click is a batch of its own; what follows within the interval is one.
                await MadeClicks.PostAsync(api.Http, "first", 1);
                await Eventually.Async("the first batch is counted", async () => await Answers.ClicksAsync(api.Http, Total) == 1, TimeSpan.FromSeconds(30));
                store.Refuse("total");
                await MadeClicks.PostAsync(api.Http, "same", 1);
                await Task.Delay(1500); // longer than the horizon to come: what makes a repeat is the time between the two
                await MadeClicks.PostAsync(api.Http, "same", 1);
            },
            "--Batch:Interval=6s");

        string[] others = ["--Duplicates:Horizon=1s", "--Rollups=total", "--Rollups=target", "--Rollups=kind", "--Rollups=target|country"];
        await using ApiProcess again = await ApiProcess.StartAsync(data.Path, others);
        await Answers.CountedToTheEndAsync(again.Http);

        // The repeat is one by the rules of then, and nothing of the batch is counted by country.
        Assert.Equal(2, await Answers.ClicksAsync(again.Http, Total));
        Assert.Equal(0, store.Number("SELECT count(*) FROM clicks_by_hour WHERE series LIKE '%|country:%'"));

        // The next batch has the rules of now.
        await MadeClicks.PostAsync(again.Http, "same", 1);
        await Answers.CountedToTheEndAsync(again.Http);
        Assert.Equal(3, await Answers.ClicksAsync(again.Http, Total));
        Assert.Equal(1, store.Number("SELECT count(*) FROM clicks_by_hour WHERE series = 'ad:ad-0|country:US'"));
    }

    [Fact]
    public async Task While_the_store_is_away_clicks_are_accepted_and_answers_lag_and_then_all_are_counted_once()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path, "--ClickLog:Partitions=1");
        await MadeClicks.PostAsync(api.Http, "a", 100);
        await Answers.CountedToTheEndAsync(api.Http);
        using (store.Lock())
        {
            await MadeClicks.PostAsync(api.Http, "b", 200);
            await Eventually.Async("it says that the store takes no batch", async () =>
                (await api.Http.GetStringAsync("/v1/status")).Contains("\"detail\":\"", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
            Assert.Contains("a transaction of", api.Output, StringComparison.Ordinal);
            using var answer = JsonDocument.Parse(await api.Http.GetStringAsync(Total));
            Assert.Equal(100, answer.RootElement.GetProperty("clicks").GetInt64());
            decimal lag = answer.RootElement.GetProperty("lag_seconds").GetDecimal();
            await Eventually.Async("lag_seconds grows", async () => await LagAsync(api.Http) > lag + 0.5m, TimeSpan.FromSeconds(30));
        }

        await Answers.CountedToTheEndAsync(api.Http);
        Assert.Equal(300, await Answers.ClicksAsync(api.Http, Total));
        Assert.Contains("\"detail\":null", await api.Http.GetStringAsync("/v1/status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asked_to_stop_while_the_store_is_away_it_ends_in_time_and_counts_later()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("SIGTERM is not there on Windows");
        }

        using var data = new DataFolder();
        var store = new StoreFile(data);
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, "--ClickLog:Partitions=1", "--Shutdown:Timeout=10s"))
        {
            using (store.Lock())
            {
                await MadeClicks.PostAsync(api.Http, "a", 200);
                await Eventually.Async("a batch waits for the store", () => Task.FromResult(api.Output.Contains("a transaction of", StringComparison.Ordinal)), TimeSpan.FromSeconds(30));
                long asked = TimeProvider.System.GetTimestamp();
                api.Signal(15);
                await api.WaitForExitAsync();
                Assert.InRange(TimeProvider.System.GetElapsedTime(asked), TimeSpan.Zero, TimeSpan.FromSeconds(15));
            }
        }

        await using ApiProcess again = await ApiProcess.StartAsync(data.Path);
        await Answers.CountedToTheEndAsync(again.Http);
        Assert.Equal(200, await Answers.ClicksAsync(again.Http, Total));
    }

    [Fact]
    public async Task A_row_put_back_to_an_older_state_is_set_aside_and_the_partition_goes_on()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);

        // Of an hour long over: its windows are not kept in memory, and so meet the row that was put back.
        DateTimeOffset past = TimeProvider.System.GetUtcNow().AddHours(-4);
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path, "--ClickLog:Partitions=1");
        await MadeClicks.PostAsync(api.Http, "a", 50, past);
        await Answers.CountedToTheEndAsync(api.Http);
        store.Run("CREATE TABLE snapshot AS SELECT * FROM clicks_by_hour WHERE series = 'ad:ad-3'");
        await MadeClicks.PostAsync(api.Http, "b", 50, past);
        await Answers.CountedToTheEndAsync(api.Http);
        Assert.Equal(10, await Answers.ClicksAsync(api.Http, "/v1/ads/ad-3/clicks?last=6h"));

        Assert.Equal(1, store.Run("INSERT OR REPLACE INTO clicks_by_hour SELECT * FROM snapshot"));
        await MadeClicks.PostAsync(api.Http, "c", 50, past);
        await Answers.CountedToTheEndAsync(api.Http);
        Assert.Contains("window ad:ad-3@", api.Output, StringComparison.Ordinal);
        Assert.Equal(1, store.Number("SELECT count(*) FROM clicks_by_hour WHERE set_aside <> 0"));
        foreach ((string path, bool incomplete, long clicks) in new[]
        {
            ("/v1/ads/ad-3/clicks?last=6h", true, 5L), ("/v1/ads/ad-4/clicks?last=6h", false, 15L), (Total, false, 150L),
        })
        {
            using var answer = JsonDocument.Parse(await api.Http.GetStringAsync(path));
            Assert.Equal((path, clicks), (path, answer.RootElement.GetProperty("clicks").GetInt64()));
            Assert.Equal((path, incomplete), (path, answer.RootElement.TryGetProperty("incomplete", out JsonElement said) && said.GetBoolean()));
        }

        await StopAsync(api);
        (int exitCode, string output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.Equal(1, exitCode);
        Assert.Contains("ad:ad-3 hour", output, StringComparison.Ordinal);
        Assert.Contains("1 windows differ: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_names_what_a_foreign_client_wrote_and_deleted_while_the_program_was_idle()
    {
        using var data = new DataFolder();
        var store = new StoreFile(data);
        int hours;
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path))
        {
            await MadeClicks.PostAsync(api.Http, "a", 100);
            await Answers.CountedToTheEndAsync(api.Http);
            Assert.True(store.Run("DELETE FROM clicks_by_hour WHERE series = 'ad:ad-1'") > 0);
            Assert.True(store.Run("UPDATE clicks_by_hour SET quarters = (SELECT quarters FROM clicks_by_hour WHERE series = 'kind:ad' LIMIT 1), stamp = stamp + 1 WHERE series = 'ad:ad-2'") > 0);
            Assert.True(store.Run("UPDATE clicks_by_hour SET upto = 0 WHERE series = 'ad:ad-3'") > 0);
            Assert.True(store.Run("UPDATE clicks_by_hour SET upto = upto + 100000 WHERE series = 'ad:ad-4'") > 0);
            hours = store.Run("UPDATE hours SET upto = CASE chain % 2 WHEN 0 THEN 0 ELSE upto + 100000 END");
            await StopAsync(api);
        }

        (int exitCode, string output) = await ApiProcess.RunAsync("verify", "--data", data.Path);
        Assert.Equal(1, exitCode);
        Assert.Contains("ad:ad-1 hour", output, StringComparison.Ordinal);
        Assert.Contains("ad:ad-2 hour", output, StringComparison.Ordinal);
        Assert.Matches("ad:ad-3 hour .*: counted clicks behind its upto \\+[0-9]", output);
        Assert.Matches("ad:ad-4 hour .*: its upto beyond the end of the log \\+[0-9]", output);
        Assert.Contains($"windows differ and {hours} hours are marked up to another offset", output, StringComparison.Ordinal);
    }

    /// <summary>
    /// Leaves a data directory with a batch of one partition begun, up to an offset, some of its rows written and that
    /// of the total refused.
    /// </summary>
    private static async Task HalfCountedAsync(DataFolder data, StoreFile store, long end, Func<ApiProcess, Task> send, params string[] arguments)
    {
        await using (ApiProcess api = await ApiProcess.StartAsync(data.Path, ["--ClickLog:Partitions=1", .. arguments]))
        {
            await send(api);
            string written = string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) FROM clicks_by_hour WHERE series LIKE 'ad:%' AND upto = {end}");
            await Eventually.Async(
                "the batch is begun, and rows of its ads are written",
                () => Task.FromResult(store.BegunEnd() == end && store.Number(written) > 0),
                TimeSpan.FromSeconds(30), atOnce: true);
            api.Kill();
        }

        store.RefuseNothing();
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
}
