using ClickAggregator.Api.Health;
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
        Assert.Matches(@"(?m)^clicks_lag_records\{[^}]*partition=""0""[^}]*\} \d", metrics);
        Assert.Matches(@"(?m)^clicks_lag_seconds\{[^}]*partition=""0""[^}]*\} \d", metrics);
        Assert.Matches(@"(?m)^clicks_query_seconds_count\{[^}]*route=""/v1/ads/\{id\}/clicks""[^}]*\} \d", metrics);
        Assert.DoesNotContain("/v1/ads/1/", metrics, StringComparison.Ordinal);
    }

    private static (int, string) Short(Answer answer) => (answer.Status, answer.Body);
}
