namespace ClickAggregator.Persistence.Cassandra.Cql.Requests;

/// <summary>What may be done with a request whose answer did not come.</summary>
internal enum RequestKind
{
    /// <summary>It may only be sent again if it was not sent.</summary>
    Once,

    /// <summary>It may be sent again.</summary>
    Idempotent,

    /// <summary>As <see cref="Once"/>: sent again, it could find its own effect and say that it was rejected.</summary>
    Conditional,
}
