using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Kafka;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>An API and silos as processes, on a topic and a keyspace of the test's own.</summary>
internal sealed class ClusterPrograms : IAsyncDisposable
{
    private readonly KafkaProgram _kafka;
    private readonly List<ProgramProcess> _silos = [];
    private readonly string _contacts;
    private readonly int _port;

    private ClusterPrograms(KafkaProgram kafka, string contacts, int port)
    {
        _kafka = kafka;
        _contacts = contacts;
        _port = port;
    }

    public string Keyspace { get; } = "t" + Guid.NewGuid().ToString("N");

    /// <summary>The silos that run.</summary>
    public IReadOnlyList<ProgramProcess> Silos => _silos;

    public KafkaProgram Kafka => _kafka;

    /// <summary>Where raw clicks are archived; by default a folder.</summary>
    public string[] Archive { get; init; } = [];

    public string[] Settings =>
    [
        .. _kafka.Settings.Where(setting => !setting.StartsWith("--Shipper", StringComparison.Ordinal)),
        $"--Cassandra:ContactPoints={_contacts}", $"--Cassandra:Port={_port}", $"--Cassandra:Keyspace={Keyspace}",
        .. Archive.Length > 0 ? Archive : [$"--Archive:Directory={Path.Combine(_kafka.Data, "archive")}"],
    ];

    public static async Task<ClusterPrograms> NewAsync(KafkaServer kafka, CassandraServer cassandra, params string[] archive)
    {
        string contacts = await cassandra.ContactPointsAsync();
        return new ClusterPrograms(await KafkaProgram.NewAsync(kafka), contacts, cassandra.Port) { Archive = archive };
    }

    /// <summary>On servers of the test's own, as many brokers and nodes.</summary>
    public static ClusterPrograms New(ServerScript servers, int nodes) => new(
        KafkaProgram.New(servers.Kafka), string.Join(',', Enumerable.Range(1, nodes).Select(node => $"127.0.0.{node}")), servers.CassandraPort);

    /// <summary>With Cassandra behind something that a test can cut.</summary>
    public static async Task<ClusterPrograms> NewAsync(KafkaServer kafka, TcpProxy cassandra) =>
        new(await KafkaProgram.NewAsync(kafka), "127.0.0.1", cassandra.Port);

    public Task<ApiProcess> StartApiAsync(params string[] more) =>
        ApiProcess.StartAsync(_kafka.Data, [.. Settings, "--Shipper:CommitInterval=100ms", .. more]);

    /// <summary>Starts silos, at once.</summary>
    public async Task StartSilosAsync(int count, params string[] more) =>
        _silos.AddRange(await Task.WhenAll(Enumerable.Range(0, count).Select(_ => SiloProcess.StartAsync([.. Settings, .. more]))));

    /// <summary>A silo that is not waited for.</summary>
    public ProgramProcess BeginSilo(params string[] more) => BeginSilo(new Dictionary<string, string>(), more);

    /// <summary>One with an environment of its own.</summary>
    public ProgramProcess BeginSilo(IReadOnlyDictionary<string, string> environment, params string[] more)
    {
        ProgramProcess silo = SiloProcess.Begin([.. Settings, .. more], environment);
        _silos.Add(silo);
        return silo;
    }

    /// <summary>kill -9.</summary>
    public void Kill(ProgramProcess silo)
    {
        silo.Kill();
        _silos.Remove(silo);
    }

    /// <summary>SIGTERM, and waits for its end.</summary>
    public async Task StopAsync(ProgramProcess silo)
    {
        silo.Signal(15);
        int code = await silo.WaitForExitAsync();
        Assert.True(code == 0, $"it ended with {code}:\n{silo.Output}");
        _silos.Remove(silo);
    }

    /// <summary>A client of Cassandra of the test's own.</summary>
    public CqlDataSource Connect()
    {
        var options = new CqlOptions { Port = _port, RequestTimeout = TimeSpan.FromSeconds(30) };
        options.ContactPoints.Add(_contacts.Split(',')[0]);
        return CqlDataSource.Create(options);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_silos.Select(silo => silo.DisposeAsync().AsTask()));
        try
        {
            await using CqlDataSource cql = Connect();
            await cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE IF EXISTS {CqlIdentifier.Parse(Keyspace)}", idempotent: true));
        }
        catch (CqlException)
        {
            // The node is gone with the test, or slow to forget: the keyspace is nobody else's.
        }

        _kafka.Dispose();
    }
}
