using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ClickAggregator.Servers;

/// <summary>
/// One set of real servers with ports and data of its own, through the script <c>servers</c>: in the folder that
/// CLICKS_SERVERS names, or else in ../shared/servers beside the checkout.
/// </summary>
internal sealed class ServerScript : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    private readonly string _path;
    private DirectoryInfo _data = Directory.CreateTempSubdirectory("clicks-servers-");
    private int _port = FreePorts();
    private FileStream? _cassandraTurn;

    // Servers that live for a minute: half of what they cost is the compiling of code that is never hot.
    private string _java = Environment.GetEnvironmentVariable("JAVA_TOOL_OPTIONS") ?? "-XX:TieredStopAtLevel=1";

    private ServerScript(string path) => _path = path;

    /// <summary>Whether a test that lacks its server has to fail: on the machine that decides.</summary>
    public static bool IsDemanded => Environment.GetEnvironmentVariable("CI") == "true";

    /// <summary>Where the servers' data and notes are, a folder each.</summary>
    public string Data => _data.FullName;

    /// <summary>The Kafka brokers, once started.</summary>
    public string Kafka { get; private set; } = "";

    /// <summary>A new set; null on a machine without the script.</summary>
    public static ServerScript? New() => FindFolder() is { } folder ? new ServerScript(Path.Combine(folder, "servers")) : null;

    /// <summary>Where the script and the servers are; null on a machine without.</summary>
    public static string? FindFolder()
    {
        string? folder = Environment.GetEnvironmentVariable("CLICKS_SERVERS");
        if (string.IsNullOrEmpty(folder))
        {
            string? root = AppContext.BaseDirectory;
            while (root is not null && !File.Exists(Path.Combine(root, "ClickAggregator.sln")))
            {
                root = Path.GetDirectoryName(root);
            }

            folder = root is null ? "" : Path.Combine(root, "..", "shared", "servers");
        }

        folder = Path.GetFullPath(folder);
        return File.Exists(Path.Combine(folder, "servers")) ? folder : null;
    }

    /// <summary>Starts brokers, or those that are down, on their data.</summary>
    public async Task StartKafkaAsync(int brokers = 1)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await RunAsync("start", "kafka", "--brokers", brokers.ToString(CultureInfo.InvariantCulture));
                break;
            }
            catch (InvalidOperationException fault)
                when (Kafka.Length == 0 && attempt < 3 && fault.Message.Contains("Address already in use", StringComparison.Ordinal))
            {
                // Somebody took a port between our look and the server's start.
                await DisposeAsync();
                _data = Directory.CreateTempSubdirectory("clicks-servers-");
                _port = FreePorts();
            }
        }

        Kafka = string.Join(',', Enumerable.Range(0, brokers).Select(n => $"127.0.0.1:{_port + (2 * n)}"));
    }

    /// <summary>Where Cassandra's nodes listen for clients.</summary>
    public int CassandraPort => _port + 50;

    /// <summary>The authority that signed the nodes' certificates.</summary>
    public string CassandraCaFile => Path.Combine(_data.FullName, "cassandra.pem");

    /// <summary>
    /// Starts nodes at 127.0.0.1 and up, or those that are down, on their data. Their internal ports are fixed, so there is one
    /// such set on a machine at a time: the next waits until this one is disposed, for ten minutes at most.
    /// </summary>
    /// <param name="nodes">How many.</param>
    /// <param name="authenticate">Whether they ask for user and password, which are <c>cassandra</c> both.</param>
    /// <param name="dies">Whether one may be killed. One that is not need not bring the tables of each new keyspace to the disk, which
    /// makes up most of what one costs.</param>
    public async Task StartCassandraAsync(int nodes = 1, bool authenticate = false, bool dies = true)
    {
        if (!dies)
        {
            _java += " -Dcassandra.test.flush_local_schema_changes=false";
        }

        _cassandraTurn ??= await CassandraTurnAsync();
        string[] start = ["start", "cassandra", "--nodes", nodes.ToString(CultureInfo.InvariantCulture)];
        await RunAsync(authenticate ? [.. start, "--auth"] : start);
    }

    /// <summary>The key and the secret that the script gives its server of S3.</summary>
    public const string S3Key = "clicks";

    /// <inheritdoc cref="S3Key"/>
    public const string S3Secret = "clicks-secret";

    /// <summary>Where the server of S3 listens.</summary>
    public int S3Port => _port + 60;

    /// <summary>Starts a server of S3, or the one that is down, on its data.</summary>
    public Task StartS3Async() => RunAsync("start", "s3");

    /// <summary>Ends all of them cleanly; their data stays.</summary>
    public Task StopAsync() => RunAsync("stop");

    /// <summary>Ends the brokers cleanly; their data stays.</summary>
    public Task StopKafkaAsync() => RunAsync("stop", "kafka");

    /// <summary>Sends a signal (KILL, STOP, CONT) to a server.</summary>
    /// <param name="signal">Its name.</param>
    /// <param name="server">For example <c>kafka</c>.</param>
    /// <param name="number">Which of them, from 1.</param>
    public Task SignalAsync(string signal, string server, int number = 1) =>
        RunAsync("signal", signal, server, number.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        try
        {
            await RunAsync("reset");
            if (_data.Exists)
            {
                _data.Delete(recursive: true);
            }
        }
        finally
        {
            _cassandraTurn?.Dispose();
            _cassandraTurn = null;
        }
    }

    // A lock of the system's own: it ends with the process that holds it, however that ends.
    private static async Task<FileStream> CassandraTurnAsync()
    {
        string path = Path.Combine(Path.GetTempPath(), "clicks-cassandra.lock");
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException taken) when (Stopwatch.GetElapsedTime(started) > s_patience)
            {
                throw new InvalidOperationException($"another set of Cassandra's nodes has been running for {s_patience}: {path} is taken", taken);
            }
            catch (IOException)
            {
                await Task.Delay(250);
            }
        }
    }

    // The script goes by process numbers that it has noted. Those of servers that were killed may long be somebody else's, on a machine
    // that starts programs by the hundred: to stop such a server once more would end a program of another test.
    private void ForgetEnded()
    {
        if (!OperatingSystem.IsLinux() || !_data.Exists)
        {
            return;
        }

        foreach (string note in _data.EnumerateDirectories().Select(server => Path.Combine(server.FullName, "pid")).Where(File.Exists))
        {
            string environment = "";
            try
            {
                environment = File.ReadAllText($"/proc/{File.ReadAllText(note).Trim()}/environ");
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
            }

            if (!environment.Contains($"SERVERS_DATA={_data.FullName}\0", StringComparison.Ordinal))
            {
                File.Delete(note);
            }
        }
    }

    private async Task RunAsync(params string[] arguments)
    {
        ForgetEnded();
        var start = new ProcessStartInfo("bash", [_path, .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["SERVERS_DATA"] = _data.FullName;
        start.Environment["JAVA_TOOL_OPTIONS"] = _java;
        start.Environment["KAFKA_PORT"] = _port.ToString(CultureInfo.InvariantCulture);
        start.Environment["KAFKA_HEAP"] = "384m";
        start.Environment["S3_PORT"] = S3Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["CASSANDRA_PORT"] = CassandraPort.ToString(CultureInfo.InvariantCulture);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"servers {string.Join(' ', arguments)}: {await errors}{await output}");
        }
    }

    // Broker n is at port + 2(n-1), its controller on the next one, its listeners for proxies 100 and 200 above; Cassandra 50 above, S3 60.
    internal static int FreePorts()
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            int port = Random.Shared.Next(20_000, 32_000);
            if (Enumerable.Range(port, 6).Append(port + 50).Append(port + 60).Concat(Enumerable.Range(port + 100, 6)).All(IsFree))
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
