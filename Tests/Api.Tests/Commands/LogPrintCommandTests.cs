using ClickAggregator.Api.Commands;

namespace ClickAggregator.Api.Tests.Commands;

public class LogPrintCommandTests
{
    [Fact]
    public async Task A_range_of_the_log_is_printed_as_lines_that_can_be_sent_again()
    {
        string folder;
        await using (ApiServer server = await ApiServer.StartAsync("--ClickLog:Partitions=1"))
        {
            folder = server.DataDirectory;
            server.KeepData();
            for (int i = 0; i < 5; i++)
            {
                await server.PostAsync($"{{\"ad_id\":\"a-{i}\",\"click_id\":\"c-{i}\",\"timestamp\":1384729205000}}");
            }

            (int busy, string none, string why) = await RunAsync("--data", folder, "--partition", "0");
            Assert.Equal((ExitCodes.Failed, ""), (busy, none));
            Assert.Contains("in use by another process", why, StringComparison.Ordinal);
        }

        try
        {
            (int code, string output, string error) = await RunAsync("--data", folder, "--partition", "0", "--from", "1", "--to", "3");
            Assert.Equal((ExitCodes.Done, ""), (code, error));
            Assert.Equal(
                [
                    """{"click_id":"c-1","ad_id":"a-1","timestamp":"2013-11-17T23:00:05.000Z"}""",
                    """{"click_id":"c-2","ad_id":"a-2","timestamp":"2013-11-17T23:00:05.000Z"}""",
                ],
                output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd('\r')));

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
}
