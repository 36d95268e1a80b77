using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ClickAggregator.Streaming.Kafka.Tests.Servers;

[assembly: AssemblyFixture(typeof(KafkaBroker))]

namespace ClickAggregator.Streaming.Kafka.Tests.Servers;

/// <summary>
/// A real broker for all tests of the assembly: the one that KAFKA_BOOTSTRAP_SERVERS names, or else one that the script
/// <c>servers</c> starts, from the folder that CLICKS_SERVERS names or from ../shared/servers beside the checkout.
/// Where there is neither, tests skip visibly; where there is the script and CI is set, a broker that does not start fails them.
/// </summary>
public sealed class KafkaBroker : IAsyncLifetime
{
    private ServerScript? _script;
    private string? _missing;

    public string BootstrapServers { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS") is { Length: > 0 } running)
        {
            BootstrapServers = running;
            return;
        }

        if (ServerScript.Find() is not { } path)
        {
            _missing = "no Kafka: set KAFKA_BOOTSTRAP_SERVERS, or CLICKS_SERVERS to the folder with the servers script";
            return;
        }

        var script = new ServerScript(path);
        try
        {
            await script.RunAsync("start", "kafka");
            _script = script;
            BootstrapServers = script.BootstrapServers;
        }
        catch (InvalidOperationException fault) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            _missing = $"Kafka did not start: {fault.Message}";
            await script.DisposeAsync();
        }
    }

    /// <summary>Skips the test where there is no broker.</summary>
    public KafkaBroker Required()
    {
        if (_missing is not null)
        {
            Assert.Skip(_missing);
        }

        return this;
    }

    public ValueTask DisposeAsync() => _script?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>One set of servers of the script, with ports and data of its own.</summary>
internal sealed class ServerScript : IAsyncDisposable
{
    private readonly string _path;
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("clicks-kafka-tests-");
    private readonly int _port = FreePorts();

    public ServerScript(string path) => _path = path;

    public string BootstrapServers => $"127.0.0.1:{_port}";

    public static string? Find()
    {
        string? folder = Environment.GetEnvironmentVariable("CLICKS_SERVERS");
        if (string.IsNullOrEmpty(folder))
        {
            string? root = AppContext.BaseDirectory;
            while (root is not null && !File.Exists(Path.Combine(root, "ClickAggregator.sln")))
            {
                root = Path.GetDirectoryName(root);
            }

            folder = root is null ? null : Path.Combine(root, "..", "shared", "servers");
        }

        string? script = folder is null ? null : Path.Combine(folder, "servers");
        return File.Exists(script) ? script : null;
    }

    public async Task RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(_path);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["SERVERS_DATA"] = _data.FullName;
        start.Environment["KAFKA_PORT"] = _port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["KAFKA_HEAP"] = "384m";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"servers {string.Join(' ', arguments)}: {await errors}{await output}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("reset", "kafka");
        _data.Delete(recursive: true);
    }

    // The broker, its controller on the next port, and its listener for proxies a hundred above.
    private static int FreePorts()
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            int port = Random.Shared.Next(20_000, 32_000);
            if (new[] { port, port + 1, port + 100 }.All(IsFree))
            {
                return port;
            }
        }

        throw new InvalidOperationException("no free ports");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
