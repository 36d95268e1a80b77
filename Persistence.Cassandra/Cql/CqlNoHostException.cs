namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>No node could be asked. Nothing was sent. The inner exception is the last node's reason.</summary>
public sealed class CqlNoHostException : CqlException
{
    internal CqlNoHostException(string message, Exception? inner = null)
        : base(message, (inner as CqlException)?.IsTransient ?? true, inner) => NotSent = true;
}
