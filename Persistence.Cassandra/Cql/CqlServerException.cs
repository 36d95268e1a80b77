namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>A server answered with an error.</summary>
public sealed class CqlServerException : CqlException
{
    internal CqlServerException(CqlErrorCode code, string message, string host, bool isTransient)
        : base($"{code} from {host}: {message}", isTransient)
    {
        Code = code;
        ServerMessage = message;
        Host = host;
    }

    public CqlErrorCode Code { get; }

    /// <summary>The server's own words.</summary>
    public string ServerMessage { get; }

    /// <summary>The address and port of the node that was asked.</summary>
    public string Host { get; }

    /// <summary>The level that was not reached: unavailable, timeouts, failures.</summary>
    public CqlConsistency? Consistency { get; internal init; }

    /// <summary>How many replicas answered; for unavailable, how many are alive.</summary>
    public int? Received { get; internal init; }

    /// <summary>How many replicas were needed.</summary>
    public int? Required { get; internal init; }

    /// <summary>How many replicas failed.</summary>
    public int? Failures { get; internal init; }

    /// <summary>Whether the replica that was asked for data, rather than for a digest, had answered.</summary>
    public bool? DataPresent { get; internal init; }

    /// <summary>What was being written: SIMPLE, BATCH, UNLOGGED_BATCH, COUNTER, BATCH_LOG, CAS, VIEW, CDC, or what servers will say one day.</summary>
    public string? WriteType { get; internal init; }

    /// <summary>Of what already exists, or of a function that failed.</summary>
    public string? Keyspace { get; internal init; }

    /// <summary>The table that already exists (empty for a keyspace), or the function that failed.</summary>
    public string? Name { get; internal init; }

    /// <summary>The statement that the server does not know.</summary>
    internal byte[]? UnpreparedId { get; init; }
}
