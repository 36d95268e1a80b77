using ClickAggregator.Servers;

[assembly: AssemblyFixture(typeof(CassandraServer))]

namespace ClickAggregator.Servers;

/// <summary>
/// A real node for all tests of an assembly, started when the first one asks for it: the one that CASSANDRA_CONTACT_POINTS (and
/// CASSANDRA_PORT, CASSANDRA_CA_FILE) names, or one of <see cref="ServerScript"/>. Where there is neither, tests skip visibly;
/// where the script is there and CI=true, a node that does not start fails them.
/// </summary>
/// <remarks>The script's nodes have internal ports that are fixed: one assembly at a time can have one.</remarks>
public sealed class CassandraServer : IAsyncDisposable
{
    private readonly Lazy<Task<string>> _started;
    private ServerScript? _script;

    public CassandraServer() => _started = new Lazy<Task<string>>(StartAsync);

    /// <summary>Where the nodes listen.</summary>
    public int Port { get; private set; } = 9042;

    /// <summary>The authority of their certificates; empty where there is none.</summary>
    public string CaFile { get; private set; } = "";

    /// <summary>The node may be stopped by a test: it is the script's.</summary>
    internal ServerScript? Script => _script;

    /// <summary>The addresses of the nodes, separated by commas; skips the test where there is none.</summary>
    public async Task<string> ContactPointsAsync()
    {
        string answer = await _started.Value;
        if (answer.StartsWith("no ", StringComparison.Ordinal))
        {
            Assert.Skip(answer);
        }

        return answer;
    }

    public ValueTask DisposeAsync() => _script?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<string> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("CASSANDRA_CONTACT_POINTS") is { Length: > 0 } running)
        {
            if (int.TryParse(Environment.GetEnvironmentVariable("CASSANDRA_PORT"), out int port))
            {
                Port = port;
            }

            CaFile = Environment.GetEnvironmentVariable("CASSANDRA_CA_FILE") ?? "";
            return running;
        }

        _script = ServerScript.New();
        if (_script is null)
        {
            return "no Cassandra here: set CASSANDRA_CONTACT_POINTS, or CLICKS_SERVERS to the folder with the servers script";
        }

        try
        {
            await _script.StartCassandraAsync();
            Port = _script.CassandraPort;
            CaFile = _script.CassandraCaFile;
            return "127.0.0.1";
        }
        catch (InvalidOperationException fault) when (!ServerScript.IsDemanded)
        {
            return $"no Cassandra: {fault.Message}";
        }
    }
}
