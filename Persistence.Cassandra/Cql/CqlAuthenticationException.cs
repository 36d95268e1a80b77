namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>A server does not let this user in, or wants one.</summary>
public sealed class CqlAuthenticationException : CqlException
{
    internal CqlAuthenticationException(string message, Exception? inner = null)
        : base(message, isTransient: false, inner) => NotSent = true;
}
