namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>
/// Statements that one partition applies together: an unlogged batch, atomic and isolated because it is one mutation. All
/// have to be of the same partition; that is checked wherever its key is bound. Not safe for several threads.
/// </summary>
/// <remarks>
/// The servers' limits of 5 KB (a warning) and 50 KB (an error) are for batches over several partitions, as seen with
/// Cassandra 5.0.6. One mutation may have half a segment of the commit log (16 MB unless set otherwise), but it is held in
/// memory on each replica at once: small is better.
/// </remarks>
public sealed class CqlBatch
{
    private readonly List<CqlCommand> _commands = [];

    /// <summary>Whether all of it may be sent again when an answer is lost: true while every statement is idempotent.</summary>
    public bool IsIdempotent => _commands.TrueForAll(command => command.Statement.IsIdempotent);

    /// <summary>Default null: <see cref="CqlOptions.Consistency"/>.</summary>
    public CqlConsistency? Consistency { get; init; }

    /// <summary>Default null: <see cref="CqlOptions.SerialConsistency"/>.</summary>
    public CqlConsistency? SerialConsistency { get; init; }

    /// <summary>The timestamp in microseconds of statements that have no USING TIMESTAMP. Default null: the coordinator's clock.</summary>
    public long? Timestamp { get; init; }

    public int Count => _commands.Count;

    /// <summary>Bytes of the values: what a mutation's size is, roughly.</summary>
    public int ValueBytes => _commands.Sum(command => command.Values.Encoded.Length);

    internal IReadOnlyList<CqlCommand> Commands => _commands;

    /// <summary>Adds a statement; consistency and timestamp of the command are not used.</summary>
    /// <exception cref="InvalidOperationException">There are 65,535 already.</exception>
    public CqlBatch Add(CqlCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_commands.Count == ushort.MaxValue)
        {
            throw new InvalidOperationException("A batch holds at most 65,535 statements");
        }

        _commands.Add(command);
        return this;
    }
}
