using System.Diagnostics;

namespace ClickAggregator.Deploy.Tests;

public class LocalTests
{
    [Fact]
    public async Task The_script_is_one_that_bash_reads() => Assert.Equal((0, ""), await RunAsync("-n", "deploy/local"));

    [Fact]
    public async Task It_says_how_it_is_called()
    {
        (int code, string output) = await RunAsync("deploy/local", "--help");
        Assert.Equal(0, code);
        Assert.Contains("deploy/local start", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_servers_it_says_at_once_how_to_name_some()
    {
        (int code, string output) = await RunAsync("deploy/local", "start", "--data", Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
        Assert.Equal(1, code);
        Assert.Contains("there is no script /nowhere/servers. Set CLICKS_SERVERS", output, StringComparison.Ordinal);
        Assert.DoesNotContain("building", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("start", "--prot")]
    [InlineData("start", "--port")]
    [InlineData("start", "--port", "x")]
    [InlineData("begin")]
    public async Task What_it_does_not_know_is_an_error(params string[] arguments) =>
        Assert.NotEqual(0, (await RunAsync(["deploy/local", .. arguments])).Code);

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "deploy/local is for Linux");
        var start = new ProcessStartInfo("bash", arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CLICKS_SERVERS"] = "/nowhere";
        start.Environment.Remove("KAFKA_BOOTSTRAP_SERVERS");
        start.Environment.Remove("CASSANDRA_CONTACT_POINTS");
        using Process bash = Process.Start(start)!;
        string[] output = await Task.WhenAll(
            bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (bash.ExitCode, string.Concat(output));
    }
}
