using System.Globalization;
using System.Text.RegularExpressions;
using ClickAggregator.Api.Commands;

namespace ClickAggregator.Api.Tests.Commands;

public partial class LogPrintCommandTests
{
    [Fact]
    public async Task A_range_of_the_log_is_printed_as_lines_that_can_be_sent_again()
    {
        string folder;
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        await using (ApiServer server = await ApiServer.StartAsync("--ClickLog:Partitions=1"))
        {
            folder = server.DataDirectory;
            server.KeepData();
            for (int i = 0; i < 5; i++)
            {
                await server.PostAsync($"{{\"ad_id\":\"a-{i}\",\"click_id\":\"c-{i}\",\"timestamp\":1384729205000}}");
            }

            (int beside, string live, string quiet) = await RunAsync("--data", folder, "--partition", "0");
            Assert.Equal((ExitCodes.Done, ""), (beside, quiet));
            Assert.Equal(5, live.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }

        DateTimeOffset after = TimeProvider.System.GetUtcNow();
        try
        {
            (int code, string output, string error) = await RunAsync("--data", folder, "--partition", "0", "--from", "1", "--to", "3");
            Assert.Equal((ExitCodes.Done, ""), (code, error));
            string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(2, lines.Length);
            for (int i = 0; i < lines.Length; i++)
            {
                // Where and when it was appended stands before the click, in names that a click does not have.
                Match place = Place().Match(lines[i]);
                Assert.True(place.Success, lines[i]);
                Assert.Equal($"{i + 1}", place.Groups["offset"].Value);
                Assert.InRange(DateTimeOffset.Parse(place.Groups["time"].Value, CultureInfo.InvariantCulture), before.AddMilliseconds(-1), after);
                Assert.Equal(
                    $$"""{"click_id":"c-{{i + 1}}","ad_id":"a-{{i + 1}}","timestamp":"2013-11-17T23:00:05.000Z"}""",
                    "{" + lines[i][place.Length..].TrimEnd('\r'));
            }

            await using ApiServer again = await ApiServer.StartAsync();
            Answer sent = await again.PostAsync(output, "application/x-ndjson");
            Assert.Equal((202, 2, 0), (sent.Status, sent.Accepted, sent.Rejected));
            Assert.Equal(["c-1", "c-2"], again.Stored().Select(click => click.ClickId).Order(StringComparer.Ordinal));

            (int all, string every, _) = await RunAsync("--data", folder, "--partition", "0");
            Assert.Equal((ExitCodes.Done, 5), (all, every.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
            Assert.Contains("--to must be from 4 to 5, and is \"6\"",
                (await RunAsync("--data", folder, "--partition", "0", "--from", "4", "--to", "6")).Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Looking_makes_no_log_where_there_is_none()
    {
        string folder = Path.Combine(Path.GetTempPath(), "api-no-log-" + Guid.NewGuid().ToString("N"));
        (int code, _, string error) = await RunAsync("--data", folder, "--partition", "0");
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("there is no click log in " + folder, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await new CommandLine(AllCommands.Make(TimeProvider.System), output, error)
            .RunAsync(["log", "print", .. args], CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }

    [GeneratedRegex("""^\{"partition":0,"offset":(?<offset>\d+),"append_time":"(?<time>[^"]+Z)",""")]
    private static partial Regex Place();
}
