using ClickAggregator.SystemTests.Oracle;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Kafka;

/// <summary>TLS, passwords and rights: what is needed is enough, and what is wrong is said, while clicks are accepted.</summary>
public class SecuredBrokerTests(SecuredBroker broker)
{
    [Fact]
    public async Task With_TLS_a_password_and_only_the_rights_that_the_README_names_clicks_are_shipped_and_counted()
    {
        await broker.StartedAsync();
        string topic = NewTopic();
        await AllowAsync(topic);
        string[] settings = [.. broker.Settings("clicks"), $"--Kafka:Topic={topic}"];
        string[] lines = [.. RealClicks.Lines.Take(20_000)];
        using var data = new DataFolder();
        using var logs = new DataFolder();
        using var shipped = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path, settings);
        await using ProgramProcess shipper = await ShipperProcess.StartAsync(["--watch", logs.File("*.ndjson"), "--data", shipped.Path, .. settings]);
        await RealClicksTests.SendAsync(api.Http, lines[..10_000]);
        await File.AppendAllLinesAsync(logs.File("a.ndjson"), lines[10_000..]);
        await Answers.RealClicksCountedAsync(api.Http, lines.Length, TimeSpan.FromMinutes(1));
        await Answers.AgreeAsync(api.Http, Recount.Of(lines));
        Assert.DoesNotContain(SecuredBroker.Password, api.Output + shipper.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_is_said_while_clicks_are_accepted()
    {
        await broker.StartedAsync();
        await Task.WhenAll(
            SaidAsync("password", "authentication failed"),
            SaidAsync("authority", "certificate verify failed"),
            SaidAsync("host", "certificate verify failed"),
            SaidAsync("protocol", "security.protocol"),
            SaidAsync("rights", "authorization failed"));
    }

    private async Task SaidAsync(string wrong, string said)
    {
        string[] settings =
        [
            .. wrong switch
            {
                "password" => broker.Settings("clicks", password: "not-the-password"),
                "authority" => broker.Settings("clicks", caFile: broker.OtherCaFile),
                "host" => broker.Settings("clicks", servers: broker.Misnamed),
                "protocol" => [$"--Kafka:BootstrapServers={broker.Address}"],
                _ => broker.Settings("nobody"),
            },
            $"--Kafka:Topic={NewTopic()}",
        ];
        using var data = new DataFolder();
        await using ApiProcess api = await ApiProcess.StartAsync(data.Path, settings);
        await MadeClicks.PostAsync(api.Http, wrong, 10);
        await Eventually.Async(
            $"the status says what is wrong with the {wrong}",
            async () => (await KafkaProgram.ShippingAsync(api.Http)).Contains(said, StringComparison.OrdinalIgnoreCase),
            TimeSpan.FromMinutes(1));
        await Eventually.Async(
            $"the diagnostics say it of the counting, too ({wrong})",
            () => Task.FromResult(Counting(api.Output).Contains(said, StringComparison.OrdinalIgnoreCase)),
            TimeSpan.FromMinutes(1));
        Assert.DoesNotContain("not-the-password", api.Output, StringComparison.Ordinal);
    }

    private static string Counting(string output) =>
        output[Math.Max(0, output.IndexOf("the log does not say how many partitions it has", StringComparison.Ordinal))..].Split("warn: ")[0];

    private static string NewTopic() => "clicks-" + Guid.NewGuid().ToString("N");

    // As README.md names them, for topics of another name.
    private async Task AllowAsync(string topic)
    {
        await broker.AllowAsync("clicks", $"--operation Create --operation Describe --operation DescribeConfigs --operation Read --operation Write --topic {topic} --resource-pattern-type prefixed");
        await broker.AllowAsync("clicks", "--operation Describe --operation Write --transactional-id click-log- --resource-pattern-type prefixed");
    }
}
