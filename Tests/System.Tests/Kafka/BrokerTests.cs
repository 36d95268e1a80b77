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
