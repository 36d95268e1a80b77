namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>A node could not be connected to, or a connection broke. Unless <see cref="CqlException.NotSent"/>, the request may have taken effect.</summary>
public sealed class CqlConnectionException : CqlException
{
    internal CqlConnectionException(string message, Exception? inner = null)
        : base(message, isTransient: true, inner)
    {
    }
}
