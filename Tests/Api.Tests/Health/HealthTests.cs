using System.Text.Json;
using System.Text.RegularExpressions;
using ClickAggregator.Api.Health;
using ClickAggregator.Api.Tests.Queries;
using Microsoft.Extensions.DependencyInjection;

namespace ClickAggregator.Api.Tests.Health;

public class HealthTests
{
    [Fact]
    public async Task It_lives_and_is_ready_to_collect()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        Assert.Equal((200, """{"status":"live","faults":[]}"""), Short(await server.GetAsync("/health/live")));
        Assert.Equal((200, """{"status":"ready","faults":[]}"""), Short(await server.GetAsync("/health/ready")));
    }

    [Fact]
    public async Task A_fault_of_the_queries_leaves_collecting_ready()
    {
        string? fault = "away";
        await using ApiServer server = await ApiServer.StartAsync(services =>
            services.AddSingleton(new ReadinessCheck("store", ReadinessScope.Queries, () => fault)));

        Assert.Equal(200, (await server.GetAsync("/health/ready")).Status);

        // Beside the store's fault it names the partitions that are still starting, until they count.
        await server.UntilAsync("/health/ready/query", (503, """{"status":"not_ready","faults":[{"name":"store","reason":"away"}]}"""));
        fault = null;
        await server.UntilAsync("/health/ready/query", (200, """{"status":"ready","faults":[]}"""));
    }

    [Fact]
    public async Task Probes_may_ask_by_HEAD()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        foreach (string path in (string[])["/health/live", "/health/ready"])
        {
            using var head = new HttpRequestMessage(HttpMethod.Head, path);
            using HttpResponseMessage answer = await server.Client.SendAsync(head, TestContext.Current.CancellationToken);
            Assert.Equal((200, ""), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        }
    }

    [Fact]
    public async Task A_log_that_was_replaced_shows_what_is_not_counted_and_is_not_ready_for_queries()
    {
        string folder;
        await using (ApiServer first = await ApiServer.StartAsync("--ClickLog:Partitions=1"))
        {
            folder = first.DataDirectory;
            first.KeepData();
            await first.PostAsync("[{\"ad_id\":\"1\"},{\"ad_id\":\"2\"},{\"ad_id\":\"3\"}]");
            await LoadedServer.CountedAsync(first);
        }

        Directory.Delete(Path.Combine(folder, "log"), recursive: true);
        File.Delete(Path.Combine(folder, "log-id"));
        await using ApiServer second = await ApiServer.StartOnAsync(folder, null, "--ClickLog:Partitions=1");
        await second.PostAsync("[{\"ad_id\":\"1\"},{\"ad_id\":\"2\"}]");

        Answer status = await second.UntilAsync("/v1/status", answer => answer.Body.Contains("log_replaced", StringComparison.Ordinal));
        JsonElement partition = status.Json.GetProperty("partitions")[0];
        Assert.Equal(
            ("stopped", 0, 2, 2),
            (partition.GetProperty("state").GetString(), partition.GetProperty("next").GetInt64(), partition.GetProperty("end").GetInt64(), partition.GetProperty("lag").GetInt64()));
        await second.UntilAsync("/metrics", answer => Regex.IsMatch(answer.Body, @"(?m)^clicks_lag_records\{[^}]*partition=""0""[^}]*\} 2 ?"));
        Answer ready = await second.UntilAsync("/health/ready/query", answer => answer.Body.Contains("stands still", StringComparison.Ordinal));
        Assert.Equal(503, ready.Status);
        Assert.Contains("partition 0 stands still: log_replaced", ready.Body, StringComparison.Ordinal);
        Assert.Equal(200, (await second.GetAsync("/health/ready")).Status);
    }

    [Fact]
    public async Task The_metrics_count_what_was_accepted_and_what_was_not()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        await server.PostAsync("{\"ad_id\":\"1\"}\n{\"ad_id\":\"2\"}\n{}\n", "application/x-ndjson");

        string metrics = (await server.GetAsync("/metrics")).Body;

        Assert.Matches(@"(?m)^clicks_accepted_total(\{[^}]*\})? \d", metrics);
        Assert.Matches(@"(?m)^clicks_rejected_total\{[^}]*code=""target_missing""[^}]*\} \d", metrics);
    }

    [Fact]
    public async Task The_metrics_tell_lag_log_batches_commits_and_queries()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        await server.PostAsync("{\"ad_id\":\"1\"}\n{\"ad_id\":\"2\"}\n", "application/x-ndjson");
        await server.UntilAsync("/health/ready/query", (200, """{"status":"ready","faults":[]}"""));
        await server.GetAsync("/v1/ads/1/clicks");

        string metrics = (await server.GetAsync("/metrics")).Body;

        Assert.Matches(@"(?m)^clicks_log_bytes(\{[^}]*\})? [1-9]", metrics);
        Assert.Matches(@"(?m)^clicks_log_bytes_limit(\{[^}]*\})? [1-9]", metrics);
        Assert.Matches(@"(?m)^clicks_log_damaged_places(\{[^}]*\})? 0$", metrics);
        Assert.Matches(@"(?m)^clicks_log_damaged_records(\{[^}]*\})? 0$", metrics);
        Assert.Matches(@"(?m)^clicks_lag_records\{[^}]*partition=""0""[^}]*\} \d", metrics);
        Assert.Matches(@"(?m)^clicks_lag_seconds\{[^}]*partition=""0""[^}]*\} \d", metrics);
        Assert.Matches(@"(?m)^clicks_query_seconds_count\{[^}]*route=""/v1/ads/\{id\}/clicks""[^}]*\} \d", metrics);
        Assert.DoesNotContain("/v1/ads/1/", metrics, StringComparison.Ordinal);
    }

    private static (int, string) Short(Answer answer) => (answer.Status, answer.Body);
}
