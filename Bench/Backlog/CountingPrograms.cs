using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Bench.Backlog;

/// <summary>Who counts the topic: Api by itself, into SQLite; or with Cassandra a silo, and Api beside it, which answers.</summary>
internal sealed class CountingPrograms : IAsyncDisposable
{
    private readonly BacklogOptions _options;
    private readonly string _topic;
    private readonly string _keyspace;
    private readonly bool _keep;
    private readonly string _data = Directory.CreateTempSubdirectory("bench-backlog-").FullName;
    private readonly List<Process> _processes = [];

    /// <param name="options">Which programs, and where they find what.</param>
    /// <param name="topic">What is counted.</param>
    /// <param name="keyspace">Where it is counted into; one of its own by default.</param>
    /// <param name="keep">Whether the keyspace stays.</param>
    public CountingPrograms(BacklogOptions options, string topic, string? keyspace = null, bool keep = false)
    {
        _keyspace = keyspace ?? string.Create(CultureInfo.InvariantCulture, $"bench_{TimeProvider.System.GetUtcNow():yyyyMMddHHmmss}");
        _keep = keep;
        _options = options;
        _topic = topic;
        Start();
    }

    /// <summary>The one that counts.</summary>
    public Process Counting => _processes[0];

    /// <summary>Where Api answers.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>What they have in their memory is gone.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        Start();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_data, recursive: true);
        if (_options.Cassandra is { } hosts && !_keep)
        {
            var options = new CqlOptions { Port = _options.CassandraPort, RequestTimeout = TimeSpan.FromSeconds(30) };
            foreach (string host in hosts.Split(','))
            {
                options.ContactPoints.Add(host);
            }

            await using CqlDataSource cql = CqlDataSource.Create(options);
            await cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE IF EXISTS {CqlIdentifier.Parse(_keyspace)}"));
        }
    }

    private void Start()
    {
        int[] ports = FreePorts(4);
        string[] common = [$"--Kafka:BootstrapServers={_options.Brokers}", $"--Kafka:Topic={_topic}", .. _options.Settings];
        if (_options.Cassandra is { } hosts)
        {
            common = [.. common, $"--Cassandra:ContactPoints={hosts}", $"--Cassandra:Port={_options.CassandraPort}", $"--Cassandra:Keyspace={_keyspace}"];
            if (!common.Any(setting => setting.StartsWith("--S3:", StringComparison.Ordinal) || setting.StartsWith("--Archive:Directory=", StringComparison.Ordinal)))
            {
                common = [.. common, $"--Archive:Directory={Path.Combine(_data, "archive")}"];
            }

            Start(_options.Silo, [.. common, $"--urls=http://127.0.0.1:{ports[1]}", "--Cluster:AdvertisedAddress=127.0.0.1",
                $"--Cluster:SiloPort={ports[2]}", $"--Cluster:GatewayPort={ports[3]}"]);
        }

        Url = new Uri($"http://127.0.0.1:{ports[0]}");
        Start(_options.Api, [.. common, $"--DataDirectory={_data}", $"--urls={Url.AbsoluteUri}"]);
    }

    private void Start(string program, string[] arguments)
    {
        Process process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true })!;
        _ = process.StandardOutput.ReadToEndAsync();
        _processes.Add(process);
    }

    private async Task StopAsync()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            await process.WaitForExitAsync();
            process.Dispose();
        }

        _processes.Clear();
    }

    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        Array.ForEach(listeners, listener => listener.Start());
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        Array.ForEach(listeners, listener => listener.Dispose());
        return ports;
    }
}
