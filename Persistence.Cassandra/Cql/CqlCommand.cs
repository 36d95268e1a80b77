namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>A statement with its values; may be executed more than once.</summary>
public sealed class CqlCommand
{
    internal CqlCommand(CqlStatement statement, CqlValues values)
    {
        Statement = statement;
        Values = values;
    }

    public CqlStatement Statement { get; }

    /// <summary>Default null: the statement's, else the options'.</summary>
    public CqlConsistency? Consistency { get; init; }

    /// <summary>
    /// The timestamp of the write in microseconds, 0 or more, unless the statement has a USING TIMESTAMP. Default null: the
    /// coordinator's clock.
    /// </summary>
    public long? Timestamp { get; init; }

    internal CqlValues Values { get; }

    /// <summary>The same with another consistency.</summary>
    public CqlCommand WithConsistency(CqlConsistency consistency) =>
        new(Statement, Values) { Consistency = consistency, Timestamp = Timestamp };

    /// <summary>The same with a timestamp in microseconds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public CqlCommand WithTimestamp(long microseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(microseconds);
        return new CqlCommand(Statement, Values) { Consistency = Consistency, Timestamp = microseconds };
    }
}
