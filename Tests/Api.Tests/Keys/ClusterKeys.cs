using ClickAggregator.Api.Commands;
using ClickAggregator.Api.Keys;
using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Keys;

/// <summary>Keys of a cluster in a keyspace of the test's own, with data directories of processes that use them.</summary>
internal sealed class ClusterKeys : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keys-cluster-").FullName;
    private readonly List<CassandraSessions> _sessions = [];
    private readonly CassandraServer _server;
    private readonly string _contact;

    private ClusterKeys(CassandraServer server, string contact)
    {
        _server = server;
        _contact = contact;
    }

    public string Keyspace { get; } = "t" + Guid.NewGuid().ToString("N");

    /// <summary>Skips where there is no Cassandra.</summary>
    public static async Task<ClusterKeys> NewAsync(CassandraServer server) => new(server, (await server.ContactPointsAsync()).Split(',')[0]);

    /// <summary>The data directory of a process.</summary>
    public string Folder(string name) => Path.Combine(_folder, name);

    /// <summary>What the server and the commands are given. No Kafka is there, and none is needed for keys.</summary>
    public string[] Settings(int? port = null) =>
    [
        $"--Cassandra:ContactPoints={_contact}", $"--Cassandra:Port={port ?? _server.Port}", $"--Cassandra:Keyspace={Keyspace}",
        "--Kafka:BootstrapServers=127.0.0.1:1",
    ];

    /// <summary>The options that say what the settings say.</summary>
    public void Configure(CassandraOptions options, int? port = null)
    {
        options.Keyspace = Keyspace;
        options.Cql.ContactPoints.Add(_contact);
        options.Cql.Port = port ?? _server.Port;
        options.Cql.RequestTimeout = TimeSpan.FromSeconds(port is null ? 30 : 3);
    }

    /// <summary>A store with connections of its own, as each process has.</summary>
    public CassandraKeyStore Store(int? port = null)
    {
        var options = new CassandraOptions();
        Configure(options, port);
        var sessions = new CassandraSessions(NullLoggerFactory.Instance);
        _sessions.Add(sessions);
        return new CassandraKeyStore(sessions.Get(options), options);
    }

    /// <summary>The keys that a process knows.</summary>
    public KeyRing Ring(string folder, IKeyStore? store = null) =>
        new(store ?? Store(), [], mayBeOpen: true, NullLogger<KeyRing>.Instance, new KeyMemory(Folder(folder)));

    public async Task<CqlDataSource> CqlAsync()
    {
        var options = new CqlOptions { Port = _server.Port, RequestTimeout = TimeSpan.FromSeconds(30) };
        options.ContactPoints.Add(_contact);
        var cql = CqlDataSource.Create(options);
        await cql.OpenAsync(TestContext.Current.CancellationToken);
        return cql;
    }

    public static async Task<string> AddAsync(IKeyStore store, string name, KeyScope scopes, params string[] origins)
    {
        string secret = KeySecret.Make(origins.Length > 0);
        var key = new ApiKey { Name = name, Hash = KeySecret.Hash(secret), Scopes = scopes, Origins = origins, Created = TimeProvider.System.GetUtcNow() };
        await store.AddAsync(key, TestContext.Current.CancellationToken);
        return secret;
    }

    /// <summary>Runs a command as it is typed.</summary>
    public async Task<(int Code, string Output, string Error)> RunAsync(int? port, params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = await new CommandLine(AllCommands.Make(TimeProvider.System), output, error)
            .RunAsync([.. args, "--data", Folder("commands"), .. Settings(port)], TestContext.Current.CancellationToken);
        return (code, output.ToString().Trim(), error.ToString().Trim());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (CassandraSessions sessions in _sessions)
        {
            await sessions.DisposeAsync();
        }

        await using CqlDataSource cql = await CqlAsync();
        await cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE IF EXISTS {CqlIdentifier.Parse(Keyspace)}", idempotent: true), CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }
}
