using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>What rankings ask of days that are over: version 3 of the tables. It only adds; see <see cref="MarkingSilos"/> for builds before it.</summary>
internal static class RankingSchema
{
    public static IReadOnlyList<SchemaStep> Steps { get; } =
    [
        SchemaStep.NewTable("late_days", """
            span int, day int, chain int, stamp bigint, corrected bigint,
            PRIMARY KEY (span, day, chain)
            """, CassandraSchema.Blocking),
    ];
}
