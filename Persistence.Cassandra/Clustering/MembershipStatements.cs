using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Persistence.Cassandra.Clustering;

/// <summary>What is asked of the two tables. Those of <c>membership</c> are all conditional or serial, those of <c>membership_alive</c> never.</summary>
internal sealed class MembershipStatements(CqlIdentifier keyspace, CqlConsistency serial)
{
    // More than a cluster has silos, dead ones included: all are read at once, or else not as of one moment.
    private const int AllRows = 100_000;

    public CqlStatement Read { get; } = new(
        $"SELECT silo, version, version_etag, etag, status, proxy_port, host_name, silo_name, role_name, update_zone, fault_zone, started, alive, suspicions FROM {keyspace}.{OrleansSchema.Membership} WHERE cluster = ?")
    {
        Consistency = serial,
        PageSize = AllRows,
    };

    public CqlStatement SetVersion { get; } = new(
        $"UPDATE {keyspace}.{OrleansSchema.Membership} SET version = ?, version_etag = ? WHERE cluster = ? IF version_etag = ?");

    public CqlStatement DeleteVersion { get; } = new(
        $"DELETE version, version_etag FROM {keyspace}.{OrleansSchema.Membership} WHERE cluster = ? IF version_etag = ?");

    public CqlStatement Insert { get; } = new(
        $"INSERT INTO {keyspace}.{OrleansSchema.Membership} (etag, status, proxy_port, host_name, silo_name, role_name, update_zone, fault_zone, started, alive, suspicions, cluster, silo) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS");

    public CqlStatement Update { get; } = new(
        $"UPDATE {keyspace}.{OrleansSchema.Membership} SET etag = ?, status = ?, proxy_port = ?, host_name = ?, silo_name = ?, role_name = ?, update_zone = ?, fault_zone = ?, started = ?, alive = ?, suspicions = ? WHERE cluster = ? AND silo = ? IF etag = ?");

    public CqlStatement Delete { get; } = new(
        $"DELETE FROM {keyspace}.{OrleansSchema.Membership} WHERE cluster = ? AND silo = ? IF etag = ?");

    public CqlStatement ReadAlive { get; } = new($"SELECT silo, alive FROM {keyspace}.{OrleansSchema.Alive} WHERE cluster = ?");

    public CqlStatement SetAlive { get; } = new(
        $"INSERT INTO {keyspace}.{OrleansSchema.Alive} (cluster, silo, alive) VALUES (?, ?, ?)", idempotent: true);

    public CqlStatement DeleteAlive { get; } = new($"DELETE FROM {keyspace}.{OrleansSchema.Alive} WHERE cluster = ?", idempotent: true);
}
