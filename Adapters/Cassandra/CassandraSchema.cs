using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>The tables, version by version; what their columns mean stands in the folder's README.</summary>
public static class CassandraSchema
{
    // Spelled out though it is what Cassandra does by default: that reads never go back rests on it.
    internal const string Blocking = "read_repair = 'BLOCKING'";

    /// <summary>For a script, where programs may not change schemas.</summary>
    public static SchemaPart Clicks { get; } = new("clicks",
    [
        [
            SchemaStep.NewTable("clicks_by_hour", """
                series text, day int, hour int, chain int,
                quarters frozen<list<bigint>>, minutes frozen<map<tinyint, bigint>>,
                upto bigint, stamp bigint, set_aside boolean, run text, written timestamp,
                PRIMARY KEY ((series, day), hour, chain)
                """, Blocking),
            SchemaStep.NewTable("clicks_by_day", """
                series text, year int, day int, chain int,
                quarters map<tinyint, frozen<list<bigint>>>, stamp bigint, written timestamp,
                PRIMARY KEY ((series, year), day, chain)
                """, Blocking),
            SchemaStep.NewTable("series_by_day", """
                day int, kind text, bucket tinyint, series text, chain int,
                PRIMARY KEY ((day, kind, bucket), series, chain)
                """, Blocking),
            SchemaStep.NewTable("tops", """
                kind text, slice text, start int, chain int,
                ids frozen<list<text>>, clicks frozen<list<bigint>>, floor bigint, stamp bigint, written timestamp,
                PRIMARY KEY ((kind, slice, start), chain)
                """, Blocking),
            SchemaStep.NewTable("hours", """
                day int, hour int, chain int, upto bigint, stamp bigint,
                PRIMARY KEY (day, hour, chain)
                """, Blocking),
            SchemaStep.NewTable("targets", "target text PRIMARY KEY, url text, first_seen timestamp, days set<int>", Blocking),
            SchemaStep.NewTable("facts", "name text PRIMARY KEY, value bigint", Blocking),
        ],
        LedgerSchema.Steps,
        [.. LedgerSchema.Marks, .. RankingSchema.Steps],
        LedgerSchema.AtFinal,
    ]);

    /// <exception cref="SchemaUnusableException">A table is read in a way that lets counts go back.</exception>
    internal static async Task CheckReadRepairAsync(CassandraSession session, CancellationToken cancellationToken)
    {
        HashSet<string> ours = [.. Clicks.Versions.SelectMany(steps => steps).Select(step => step.Table.Name)];
        var tables = new CqlStatement("SELECT table_name, read_repair FROM system_schema.tables WHERE keyspace_name = ?");
        await foreach (CqlRow row in session.Cql.QueryAsync(tables.Bind(session.Keyspace.Name), cancellationToken).ConfigureAwait(false))
        {
            string table = row.Get<string>("table_name");
            string repair = row.GetOrDefault<string>("read_repair") ?? "";
            if (ours.Contains(table) && !repair.Equals("BLOCKING", StringComparison.OrdinalIgnoreCase))
            {
                throw new SchemaUnusableException(
                    $"Cassandra: table {session.Keyspace.Name}.{table} has read_repair = '{repair}': a count that was read could be lower when it is read "
                    + $"again, and windows would be taken for damaged. Run ALTER TABLE {session.Keyspace.Name}.{table} WITH read_repair = 'BLOCKING'");
            }
        }
    }
}
