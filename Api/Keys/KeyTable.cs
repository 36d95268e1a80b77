using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Api.Keys;

/// <summary>The table of a cluster's keys, and what is asked of it.</summary>
internal sealed class KeyTable(CqlIdentifier keyspace, CqlConsistency serial)
{
    public const string Name = "api_keys";

    /// <summary>All keys are one partition: so one condition can say that none has changed.</summary>
    public const string Ring = "all";

    // More than there ever are: all are read at once, or else not as of one moment.
    private const int AllRows = 100_000;

    /// <summary>For a script, where programs may not change schemas.</summary>
    public static SchemaPart Schema { get; } = new("keys",
    [
        [
            SchemaStep.NewTable(Name, """
                ring text, hash text, version uuid STATIC,
                name text, scopes frozen<list<text>>, origins frozen<list<text>>, created timestamp, revoked timestamp,
                PRIMARY KEY (ring, hash)
                """),
        ],
    ]);

    /// <summary>What was said to be kept is seen; that of a write that is under way may be.</summary>
    public CqlStatement Read { get; } = Select(keyspace, null);

    /// <summary>Completes what is under way, or makes sure that it fails.</summary>
    public CqlStatement ReadSerial { get; } = Select(keyspace, serial);

    public CqlStatement SetVersion { get; } = new($"UPDATE {keyspace}.api_keys SET version = ? WHERE ring = ? IF version = ?");

    public CqlStatement Insert { get; } = new(
        $"INSERT INTO {keyspace}.api_keys (ring, hash, name, scopes, origins, created) VALUES (?, ?, ?, ?, ?, ?)");

    public CqlStatement Revoke { get; } = new($"UPDATE {keyspace}.api_keys SET revoked = ? WHERE ring = ? AND hash = ?");

    private static CqlStatement Select(CqlIdentifier keyspace, CqlConsistency? consistency) => new(
        $"SELECT hash, version, name, scopes, origins, created, revoked FROM {keyspace}.api_keys WHERE ring = ?", idempotent: true)
    {
        Consistency = consistency,
        PageSize = AllRows,
    };
}
