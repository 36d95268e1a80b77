using ClickAggregator.Api.Commands;

namespace ClickAggregator.Api.Tests.Commands;

/// <summary>What the commands on a data directory say where there is none, or not a good one.</summary>
public sealed class DataCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("api-data-commands-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("verify")]
    [InlineData("backup", "DIR=copy")]
    [InlineData("adopt-log", "--log=7f0c3c3e-6a0e-4f5a-9d43-0a3a1b0c4d11")]
    [InlineData("rebuild-rollup", "target")]
    public async Task A_directory_that_was_mistyped_is_not_made(string command, string option = "")
    {
        string data = Path.Combine(_folder, "mistyped");
        string[] options = option.Length == 0 ? [] : [option.Replace("DIR=copy", Path.Combine(_folder, "copy"), StringComparison.Ordinal)];
        (int code, string output, string error) = await RunAsync([command, .. options, "--data", data]);
        Assert.Equal((ExitCodes.Failed, ""), (code, output));
        Assert.Contains(data + " holds no store.db", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("ROLLUP has 'tarket'", "tarket")]
    [InlineData("and not target|country: give the server's settings, with it", "target|country")]
    [InlineData("'--from' is a date", "target", "--from=soon")]
    [InlineData("ROLLUP is missing")]
    public async Task A_rollup_that_cannot_be_rebuilt_as_it_was_asked_is_called_wrongly(string fault, params string[] args)
    {
        (int code, string output, string error) = await RunAsync(["rebuild-rollup", .. args, "--data", _folder]);
        Assert.Equal((ExitCodes.Usage, ""), (code, output));
        Assert.Contains(fault, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rebuilding_with_other_settings_than_the_servers_would_switch_rollups_off_and_beside_the_server_is_the_servers_work()
    {
        await using ApiServer server = await ApiServer.StartAsync("--Rollups=total", "--Rollups=target|country");
        await server.UntilAsync("/health/ready/query", answer => answer.Status == 200);
        (int code, _, string error) = await RunAsync("rebuild-rollup", "total", "--Rollups=total", "--data", server.DataDirectory);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("the server counts by target|country, too, which this would switch off", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync("rebuild-rollup", "total", "--Rollups=total", "--Rollups=target|country", "--data", server.DataDirectory);
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("in use by another process", error, StringComparison.Ordinal);
        Assert.Contains("-d '{\"rollup\":\"total\"}'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_to_nowhere_is_called_wrongly() =>
        Assert.Equal(ExitCodes.Usage, (await RunAsync("backup", "", "--data", _folder)).Code);

    [Fact]
    public async Task A_store_that_cannot_be_copied_leaves_no_half_backup()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "store.db"), new string('x', 8_192), TestContext.Current.CancellationToken);
        (int code, string output, string error) = await RunAsync("backup", Path.Combine(_folder, "copy"), "--data", _folder);
        Assert.Equal((ExitCodes.Failed, ""), (code, output));
        Assert.Contains("There is no backup: ", error, StringComparison.Ordinal);
        Assert.Equal(["store.db"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_backup_that_did_not_finish_is_not_written_over()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        string copy = Path.Combine(_folder, "copy");
        Directory.CreateDirectory(copy + ".unfinished");
        (int code, _, string error) = await RunAsync("backup", copy, "--data", server.DataDirectory);
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains(copy + ".unfinished exists already", error, StringComparison.Ordinal);

        Directory.Delete(copy + ".unfinished");
        await RunAsync("keys", "add", "--name=shop", "--scopes=read", "--data", server.DataDirectory);
        Assert.Equal(ExitCodes.Done, (await RunAsync("backup", copy, "--data", server.DataDirectory)).Code);
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(server.DataDirectory, "keys.json"), TestContext.Current.CancellationToken),
            await File.ReadAllTextAsync(Path.Combine(copy, "keys.json"), TestContext.Current.CancellationToken));
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(Path.Combine(copy, "keys.json")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.True(File.Exists(Path.Combine(copy, "store.db")));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await new CommandLine(AllCommands.Make(TimeProvider.System), output, error).RunAsync(args, CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }
}
