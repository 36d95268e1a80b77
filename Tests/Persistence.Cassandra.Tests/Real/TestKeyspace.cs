using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Persistence.Cassandra.Tests.Real;

/// <summary>A keyspace of one test's own on a real node.</summary>
internal sealed class TestKeyspace : IAsyncDisposable
{
    private TestKeyspace(CqlDataSource cql, CqlOptions options, CqlIdentifier name)
    {
        Cql = cql;
        Options = options;
        Name = name;
    }

    public CqlDataSource Cql { get; }

    public CqlOptions Options { get; }

    public CqlIdentifier Name { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<CqlOptions> OptionsAsync(CassandraServer server)
    {
        var options = new CqlOptions();
        foreach (string point in (await server.ContactPointsAsync()).Split(','))
        {
            options.ContactPoints.Add(point);
        }

        options.Port = server.Port;
        options.RequestTimeout = TimeSpan.FromSeconds(30);
        return options;
    }

    public static async Task<TestKeyspace> CreateAsync(CassandraServer server)
    {
        CqlOptions options = await OptionsAsync(server);
        CqlDataSource cql = CqlDataSource.Create(options);
        CqlIdentifier name = CqlIdentifier.Parse($"t{Guid.NewGuid():N}");
        await cql.ExecuteSchemaAsync(
            new CqlStatement($"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"), Cancellation);
        return new TestKeyspace(cql, options, name);
    }

    public Task SchemaAsync(CqlText text) => Cql.ExecuteSchemaAsync(new CqlStatement(text), Cancellation);

    public async ValueTask DisposeAsync()
    {
        await Cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE {Name}"), CancellationToken.None);
        await Cql.DisposeAsync();
    }
}
