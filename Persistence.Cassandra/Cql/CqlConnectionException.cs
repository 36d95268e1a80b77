namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>
/// A node could not be connected to, or a connection broke. Unless <see cref="CqlException.NotSent"/>, the request may have
/// taken effect. It is transient, but for a certificate that is not trusted and for a node that wants other TLS, or none.
/// </summary>
public sealed class CqlConnectionException : CqlException
{
    internal CqlConnectionException(string message, Exception? inner = null, bool isTransient = true)
        : base(message, isTransient, inner)
    {
    }
}
