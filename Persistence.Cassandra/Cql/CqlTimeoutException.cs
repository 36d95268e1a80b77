namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>No answer came in time. Unless <see cref="CqlException.NotSent"/>, the request may take effect yet.</summary>
public sealed class CqlTimeoutException : CqlException
{
    internal CqlTimeoutException(string message, Exception? inner = null)
        : base(message, isTransient: true, inner)
    {
    }
}
