using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>What reconciliation keeps: version 2 of the tables. It only adds, so builds of version 1 go on beside it.</summary>
internal static class LedgerSchema
{
    private const string Blocking = CassandraSchema.Blocking;

    // A mark that was deleted and comes back, because a node missed the deletion, is told apart by the finalisation that covers
    // it: so deletions need not be kept for long. And the table is small, so that by itself it would hardly ever be written to
    // disk and compacted: it is told to, or all deletions of the last days stand in the way of each question.
    private const string ShortGrace = Blocking + """
         AND gc_grace_seconds = 10800 AND memtable_flush_period_in_ms = 3600000
            AND compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': '2', 'tombstone_threshold': '0.05',
                'tombstone_compaction_interval': '3600', 'unchecked_tombstone_compaction': 'true'}
        """;

    public static IReadOnlyList<SchemaStep> Steps { get; } =
    [
        SchemaStep.NewTable("open_hours", """
            span int, hour int, chain int, upto bigint, stamp bigint, reopened_at bigint,
            PRIMARY KEY (span, hour, chain)
            """, ShortGrace),
        SchemaStep.NewTable("final_hours", """
            day int, hour int, chain int, upto bigint, run bigint, invalidations bigint, versions frozen<list<bigint>>, at timestamp,
            PRIMARY KEY (day, hour, chain)
            """, Blocking),
        SchemaStep.NewColumn("hours", "corrected", "bigint"),
        SchemaStep.NewTable("corrected_hours", "day int, hour int, chain int, PRIMARY KEY (day, hour, chain)", Blocking),
        SchemaStep.NewTable("corrections_by_hour", """
            hour int, chain int, bucket tinyint, series text, run bigint,
            cause text, state text, before frozen<list<bigint>>, after frozen<list<bigint>>, upto bigint, at timestamp, detail text,
            PRIMARY KEY ((hour, chain, bucket), series, run)
            """, Blocking),
        SchemaStep.NewTable("corrections_by_series", """
            series text, span int, hour int, chain int, run bigint,
            cause text, state text, before frozen<list<bigint>>, after frozen<list<bigint>>, upto bigint, at timestamp, detail text,
            PRIMARY KEY ((series, span), hour, chain, run)
            """, Blocking),
        SchemaStep.NewTable("history", """
            series text, span int, hour int, chain int, ordinal int,
            quarters frozen<list<bigint>>, minutes frozen<map<tinyint, bigint>>,
            PRIMARY KEY ((series, span), hour, chain, ordinal)
            """, Blocking),
    ];

    /// <summary>What the history has to hold: version 3, which only adds, too. Rows that were kept before have no mark.</summary>
    public static IReadOnlyList<SchemaStep> Marks { get; } =
    [
        SchemaStep.NewTable("history_marks", """
            series text, span int, hour int, chain int, ordinal int, sum bigint,
            PRIMARY KEY ((series, span), hour, chain, ordinal)
            """, Blocking),
    ];

    /// <summary>What a window had at a finalisation, before clicks that came late: version 4. A build before it leaves the column as it is.</summary>
    public static IReadOnlyList<SchemaStep> AtFinal { get; } = [SchemaStep.NewColumn("clicks_by_hour", "at_final", "blob")];
}
