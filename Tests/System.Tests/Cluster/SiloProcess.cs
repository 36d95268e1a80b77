using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>One silo as a process of its own, on free ports.</summary>
internal static partial class SiloProcess
{
    /// <summary>Starts it and waits until it has joined the others.</summary>
    public static async Task<ProgramProcess> StartAsync(params string[] settings)
    {
        ProgramProcess silo = Begin(settings);
        await silo.UntilItSaysAsync("  stop        Ctrl+C", TimeSpan.FromMinutes(3));
        return silo;
    }

    /// <summary>Starts it.</summary>
    public static ProgramProcess Begin(string[] settings, IReadOnlyDictionary<string, string>? environment = null)
    {
        int[] ports = FreePorts(2);
        return ProgramProcess.Start(
            "Silo",
            ["--urls=http://127.0.0.1:0", "--Cluster:AdvertisedAddress=127.0.0.1", $"--Cluster:SiloPort={ports[0]}", $"--Cluster:GatewayPort={ports[1]}", .. settings],
            environment: environment);
    }

    /// <summary>Where other silos reach one that has started: address and port.</summary>
    public static string ReachedAt(ProgramProcess silo) => silo.Output.Split("silos reach it at ")[1].Split(',')[0];

    /// <summary>Where its health and metrics are.</summary>
    public static Uri AddressOf(ProgramProcess silo) => new(HealthAddress().Match(silo.Output).Groups[1].Value);

    /// <summary>Runs it to its end and returns what it printed.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] settings)
    {
        await using ProgramProcess silo = Begin(settings);
        int code = await silo.WaitForExitAsync();
        return (code, silo.Output);
    }

    [GeneratedRegex(@"(http://[^/\s]+)/health/ready")]
    private static partial Regex HealthAddress();

    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners)
        {
            listener.Start();
        }

        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
        {
            listener.Dispose();
        }

        return ports;
    }
}
