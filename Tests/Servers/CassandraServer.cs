using ClickAggregator.Servers;

[assembly: AssemblyFixture(typeof(CassandraServer))]

namespace ClickAggregator.Servers;

/// <summary>A node; of one that runs, CASSANDRA_PORT and CASSANDRA_CA_FILE say the rest.</summary>
/// <remarks>The script's nodes have internal ports that are fixed: one assembly at a time has one, and others wait.</remarks>
public sealed class CassandraServer() : SharedServer("Cassandra", "CASSANDRA_CONTACT_POINTS")
{
    /// <summary>Where the nodes listen.</summary>
    public int Port { get; private set; } = 9042;

    /// <summary>The authority of their certificates; empty where there is none.</summary>
    public string CaFile { get; private set; } = "";

    /// <summary>The addresses of the nodes, separated by commas; skips the test where there is none.</summary>
    public Task<string> ContactPointsAsync() => AddressAsync();

    private protected override void UseRunning()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("CASSANDRA_PORT"), out int port))
        {
            Port = port;
        }

        CaFile = Environment.GetEnvironmentVariable("CASSANDRA_CA_FILE") ?? "";
    }

    private protected override async Task<string> StartAsync(ServerScript script)
    {
        await script.StartCassandraAsync(dies: false);
        Port = script.CassandraPort;
        CaFile = script.CassandraCaFile;
        return "127.0.0.1";
    }
}
