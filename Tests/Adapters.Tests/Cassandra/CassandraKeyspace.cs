using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>One keyspace for the tests of a class, which goes with it. Each test finds it empty.</summary>
public sealed class CassandraKeyspace : IAsyncDisposable
{
    private CqlDataSource? _cql;

    public string Name { get; } = $"t{Guid.NewGuid():N}";

    public string Host { get; private set; } = "";

    /// <summary>A client of its own, as any other program's.</summary>
    internal async Task<CqlDataSource> CqlAsync(CassandraServer server) => _cql ??= CqlDataSource.Create((await OptionsAsync(server)).Configured().Cql);

    /// <summary>The options of a store in this keyspace.</summary>
    /// <param name="server">Where it is.</param>
    /// <param name="kept">How long it keeps what.</param>
    /// <param name="port">Another way to the server.</param>
    internal async Task<CassandraStoreOptions> OptionsAsync(CassandraServer server, Kept? kept = null, int? port = null)
    {
        kept ??= Kept.Default;
        string points = await server.ContactPointsAsync();
        Host = points.Split(',')[0];
        return new CassandraStoreOptions
        {
            RetentionMinutes = kept.Minutes,
            RetentionDays = kept.Days,
            Cassandra = cassandra =>
            {
                foreach (string point in points.Split(','))
                {
                    cassandra.Cql.ContactPoints.Add(point);
                }

                cassandra.Cql.Port = port ?? server.Port;
                cassandra.Cql.RequestTimeout = TimeSpan.FromSeconds(port is null ? 30 : 2);
                cassandra.Keyspace = Name;
                cassandra.Replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}";
            },
        };
    }

    /// <summary>A store without a row.</summary>
    /// <param name="server">Where it is.</param>
    /// <param name="kept">How long it keeps what.</param>
    /// <param name="expired">Whether rows may have been there that have expired: nobody sees them, and they win over writes as old as they are.</param>
    /// <param name="deleted">A table whose rows may have been deleted, which is the same.</param>
    internal async Task<StoreInCassandra> OpenAsync(CassandraServer server, Kept? kept = null, bool expired = false, string deleted = "")
    {
        StoreInCassandra store = await StoreInCassandra.OpenAsync(await OptionsAsync(server, kept));
        CqlDataSource cql = await CqlAsync(server);
        CqlIdentifier keyspace = CqlIdentifier.Parse(Name);
        foreach (CqlRow table in await cql.QueryAsync($"SELECT table_name FROM system_schema.tables WHERE keyspace_name = {Name}").ToArrayAsync())
        {
            CqlIdentifier name = CqlIdentifier.Parse(table.Get<string>("table_name"));
            if (name.Name != "schema_versions" && (expired || name.Name == deleted || await cql.QueryFirstAsync(new CqlStatement($"SELECT * FROM {keyspace}.{name} LIMIT 1").Bind()) is not null))
            {
                await cql.ExecuteSchemaAsync(new CqlStatement($"TRUNCATE {keyspace}.{name}"));
            }
        }

        return store;
    }

    public async ValueTask DisposeAsync()
    {
        if (_cql is not null)
        {
            CqlIdentifier keyspace = CqlIdentifier.Parse(Name);
            await _cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE IF EXISTS {keyspace}"));
            await _cql.DisposeAsync();
        }
    }
}
