using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ClickAggregator.Api.Tests;

/// <summary>The program as a process of its own: what a person sees, and its exit codes.</summary>
public class ProgramTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Help_is_printed_and_nothing_is_started()
    {
        (int code, string output, string error) = await RunAsync("--help");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("ClickLog:SegmentBytes", output, StringComparison.Ordinal);
        Assert.Contains("sign-link", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_settings_end_it_with_2_and_all_faults()
    {
        (int code, string output, string error) = await RunAsync("--urls", "http://0.0.0.0:5080", "--ClickLog:Partitions=x", "--nothing");
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("urls must be a loopback address", error, StringComparison.Ordinal);
        Assert.Contains("ClickLog:Partitions must be", error, StringComparison.Ordinal);
        Assert.Contains("--nothing is not a setting", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_sets_and_a_bare_name_in_it_is_anybodys()
    {
        using Process process = StartWith(
            new() { ["ClickLog__Partitions"] = "0", ["Batch__Intervall"] = "1 s", ["Reconciliation__After"] = "1 m", ["LIMITS"] = "5", ["KEYS"] = "k", ["DATA"] = "x" });
        using var cleanup = new Killer(process);
        string[] faults = (await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n');
        Assert.Contains(faults, fault => fault.StartsWith("  ClickLog:Partitions must be", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.StartsWith("  Batch:Intervall is not a setting", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.StartsWith("  Reconciliation:After must be", StringComparison.Ordinal));
        Assert.Equal(3, faults.Count(fault => fault.StartsWith("  ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_port_in_use_is_said_in_words()
    {
        using var folder = new Folder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        (int code, string output, string error) = await RunAsync("--data", folder.Path, "--urls", $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}");
        Assert.Equal(2, code);
        Assert.Contains($"urls: http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port} cannot be listened to: Address already in use", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_with_https_and_no_certificate_is_said_in_words()
    {
        using var folder = new Folder();
        (int code, _, string error) = await RunAsync("--data", folder.Path, "--urls", "https://127.0.0.1:0");
        Assert.Equal(2, code);
        Assert.Contains("urls: https needs a certificate", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_none_is_said_in_words()
    {
        using var folder = new Folder();
        await File.WriteAllTextAsync(System.IO.Path.Combine(folder.Path, "store.db"), new string('x', 8_192), TestContext.Current.CancellationToken);
        (int code, string output, string error) = await RunAsync("--data", folder.Path, "--urls", "http://127.0.0.1:0");
        Assert.Equal(2, code);
        Assert.Contains("store.db cannot be used", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_says_where_it_listens_and_a_second_one_on_the_same_data_is_refused_and_it_stops_when_told()
    {
        using var folder = new Folder();
        using Process first = Start("--data", folder.Path, "--urls", "http://127.0.0.1:0");
        using var cleanup = new Killer(first);
        string banner = "";
        while (!banner.Contains("Ctrl+C", StringComparison.Ordinal))
        {
            string line = await first.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken)
                ?? throw new InvalidOperationException("it ended: " + banner + await first.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            banner += line + "\n";
        }

        Assert.Contains("listens on  http://127.0.0.1:", banner, StringComparison.Ordinal);
        Assert.Contains("data in     " + folder.Path, banner, StringComparison.Ordinal);
        Assert.Contains("curl -X POST http://127.0.0.1:", banner, StringComparison.Ordinal);

        (int code, _, string error) = await RunAsync("--data", folder.Path, "--urls", "http://127.0.0.1:0");

        using Process kill = Process.Start("kill", ["-TERM", first.Id.ToString(CultureInfo.InvariantCulture)]);
        await first.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(0, first.ExitCode);
        Assert.NotEqual(0, code);
        Assert.Contains(folder.Path + " is in use by another process", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using Process process = Start(args);
        using var cleanup = new Killer(process);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    private static Process Start(params string[] args) => StartWith([], args);

    private static Process StartWith(Dictionary<string, string> environment, params string[] args)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ClickAggregator.Api.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment.TryAdd("DOTNET_TC_QuickJitForLoops", "1"); // it lives for seconds: a fifth less work for its start
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    // A test that fails leaves no process behind.
    private sealed class Killer(Process process) : IDisposable
    {
        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
                process.WaitForExit();
            }
        }
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("api-program-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }

    [Fact]
    public async Task The_dashboard_shows_the_grains()
    {
        await using ApiServer server = await ApiServer.StartAsync();
        Answer page = await server.GetAsync("/dashboard/");
        Assert.Equal(200, page.Status);
        Assert.Contains("<html", page.Body, StringComparison.OrdinalIgnoreCase);

        // The numbers are gathered once a second.
        await server.UntilAsync("/dashboard/DashboardCounters", answer => answer.Body.Contains("PartitionGrain", StringComparison.Ordinal));
    }
}
