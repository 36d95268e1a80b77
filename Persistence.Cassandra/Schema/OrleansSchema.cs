using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Persistence.Cassandra.Schema;

/// <summary>The tables of the three providers. What each of them holds: the README.</summary>
public static class OrleansSchema
{
    internal static readonly CqlIdentifier State = CqlIdentifier.Parse("grain_state");
    internal static readonly CqlIdentifier Membership = CqlIdentifier.Parse("membership");
    internal static readonly CqlIdentifier Alive = CqlIdentifier.Parse("membership_alive");
    internal static readonly CqlIdentifier Reminders = CqlIdentifier.Parse("reminders");

    // A silo that lives says so every half minute; the votes about one that died are in its row.
    private const string AliveSeconds = "86400";

    /// <summary>To be given to <see cref="SchemaScript.Of"/>.</summary>
    public static SchemaPart Part { get; } = new("orleans",
    [
        [
            // present false: cleared. The row stays, so that it can tell who cleared it, and nothing rests on tombstones.
            SchemaStep.NewTable(State.Name, """
                service text,
                    grain text,
                    name text,
                    etag uuid,
                    present boolean,
                    payload blob,
                    PRIMARY KEY ((service, grain, name))
                """),
            SchemaStep.NewTable(Membership.Name, """
                cluster text,
                    silo text,
                    version int STATIC,
                    version_etag uuid STATIC,
                    etag uuid,
                    status text,
                    proxy_port int,
                    host_name text,
                    silo_name text,
                    role_name text,
                    update_zone int,
                    fault_zone int,
                    started timestamp,
                    alive timestamp,
                    suspicions frozen<list<text>>,
                    PRIMARY KEY (cluster, silo)
                """),
            // Written without conditions, so it cannot be a column of the table above.
            SchemaStep.NewTable(Alive.Name, """
                cluster text,
                    silo text,
                    alive timestamp,
                    PRIMARY KEY (cluster, silo)
                """, $"default_time_to_live = {AliveSeconds}"),
            SchemaStep.NewTable(Reminders.Name, """
                service text,
                    slice int,
                    hash bigint,
                    grain text,
                    name text,
                    etag uuid,
                    start_at timestamp,
                    period_ms bigint,
                    PRIMARY KEY ((service, slice), hash, grain, name)
                """),
        ],
    ]);
}
