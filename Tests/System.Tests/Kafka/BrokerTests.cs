using System.Net;
using System.Text;
using System.Text.Json;
using ClickAggregator.Programs;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>Brokers of the test's own, to be killed: one, and three of which one dies.</summary>
public class BrokerTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_broker_that_is_killed_and_comes_back_costs_lag_and_no_click()
    {
        await using ServerScript servers = await StartAsync(brokers: 1);
        using KafkaProgram program = KafkaProgram.New(servers.Kafka);
        var load = new Load(5);
        await using ApiProcess api = await program.StartAsync();
        await load.DuringAsync(api.Http, async () =>
        {
            await Task.Delay(2000);
            await servers.SignalAsync("KILL", "kafka");
            int before = load.Accepted.Count;
            await Task.Delay(4000);
            await Eventually.Async("something is accepted while the broker is away", () => Task.FromResult(load.Accepted.Count > before), TimeSpan.FromMinutes(1));
            Assert.True((await api.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "not ready to collect while the broker is away");
            await servers.StartKafkaAsync();
            await Task.Delay(2000);
        });
        Assert.Empty(load.Unknown);
        await Answers.CountedUntilNowAsync(api.Http, TimeSpan.FromMinutes(3));
        await load.AssertCountedAsync(api.Http, output);

        // An outage is told of, and not by every partition and client each second.
        string[] lines = api.Output.Split('\n');
        Assert.Contains(lines, line => line.Contains("has lost the brokers", StringComparison.Ordinal));
        foreach (string often in new[] { "has lost the brokers", "could not be read, again in", "starts over from its record" })
        {
            Assert.InRange(lines.Count(line => line.Contains(often, StringComparison.Ordinal)), 0, 5);
        }

        int stack = Array.FindIndex(lines, line => line.Contains("   at ClickAggregator.", StringComparison.Ordinal));
        Assert.True(stack < 0, string.Join('\n', lines.Skip(stack - 5).Take(10)));
    }

    [Fact]
    public async Task Acknowledged_after_Kafka_a_request_waits_no_longer_than_it_may_and_the_readiness_says_so()
    {
        await using ServerScript servers = await StartAsync(brokers: 1);
        using KafkaProgram program = KafkaProgram.New(servers.Kafka);
        await using ApiProcess api = await program.StartAsync("--Ingest:AcknowledgeAfter=kafka", "--Ingest:AcknowledgeWithin=1s");
        await Eventually.Async("it ships", async () => await KafkaProgram.ShippingAsync(api.Http) == "shipping", TimeSpan.FromMinutes(1));
        await servers.SignalAsync("KILL", "kafka");
        for (int n = 0; n < 3; n++)
        {
            using HttpResponseMessage refused = await PostAsync(n);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Contains("on disk here and not yet in Kafka", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using (HttpResponseMessage ready = await api.Http.GetAsync("/health/ready"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.Contains("clicks are on disk and not committed to Kafka", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using (var status = JsonDocument.Parse(await api.Http.GetStringAsync("/v1/status")))
        {
            JsonElement source = Assert.Single(status.RootElement.GetProperty("sources").EnumerateArray());
            Assert.True(source.GetProperty("bytes_behind").GetInt64() > 0, source.ToString());
            Assert.True(source.GetProperty("seconds_behind").GetDouble() > 2, source.ToString());
        }

        await servers.StartKafkaAsync();
        await Eventually.Async(
            "it is ready again", async () => (await api.Http.GetAsync("/health/ready")).IsSuccessStatusCode, TimeSpan.FromMinutes(2));
        await Eventually.Async("a request is acknowledged", async () => (await PostAsync(3)).StatusCode == HttpStatusCode.Accepted, TimeSpan.FromMinutes(1));
        await Answers.CountedUntilNowAsync(api.Http);
        Assert.Equal(4, await Answers.ClicksAsync(api.Http, "/v1/clicks/total?last=20m"));

        async Task<HttpResponseMessage> PostAsync(int n) => await api.Http.PostAsync(
            "/v1/clicks", new StringContent($"{{\"ad_id\":\"a\",\"click_id\":\"c-{n}\"}}", Encoding.UTF8, "application/json"));
    }

    [Fact]
    public async Task Without_a_broker_at_its_start_the_program_collects_and_counts_once_there_is_one()
    {
        await using ServerScript servers = await StartAsync(brokers: 1);
        using KafkaProgram program = KafkaProgram.New(servers.Kafka);
        await servers.StopKafkaAsync();
        await using ApiProcess api = await program.StartAsync();
        await MadeClicks.PostAsync(api.Http, "early", 500);
        Assert.False((await api.Http.GetAsync("/health/ready/query")).IsSuccessStatusCode);
        Assert.StartsWith("connecting", await KafkaProgram.ShippingAsync(api.Http), StringComparison.Ordinal);
        await servers.StartKafkaAsync();
        await Answers.CountedUntilNowAsync(api.Http);
        Assert.Equal(500, await Answers.ClicksAsync(api.Http, "/v1/clicks/total?last=20m"));
    }

    [Fact]
    public async Task One_broker_of_three_killed_nobody_notices()
    {
        await using ServerScript servers = await StartAsync(brokers: 3);
        using KafkaProgram program = KafkaProgram.New(servers.Kafka);
        var load = new Load(6);
        await using ApiProcess api = await program.StartAsync();
        await load.DuringAsync(api.Http, async () =>
        {
            await Task.Delay(2000);
            await servers.SignalAsync("KILL", "kafka", 2);
            await Task.Delay(5000);
        });
        Assert.Empty(load.Unknown);
        await Answers.CountedUntilNowAsync(api.Http, TimeSpan.FromMinutes(3));
        await load.AssertCountedAsync(api.Http, output);
    }

    private static async Task<ServerScript> StartAsync(int brokers)
    {
        ServerScript? servers = ServerScript.New();
        Assert.SkipWhen(servers is null, "no servers script here: set CLICKS_SERVERS to its folder");
        await servers.StartKafkaAsync(brokers);
        return servers;
    }
}
