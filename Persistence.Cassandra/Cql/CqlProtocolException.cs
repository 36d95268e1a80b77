namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>What a server sent cannot be understood.</summary>
public sealed class CqlProtocolException : CqlException
{
    internal CqlProtocolException(string message, Exception? inner = null)
        : base(message, isTransient: false, inner)
    {
    }
}
