using System.Data.Common;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>The database could not be asked, or refused. Misuse of the client throws exceptions of .NET instead.</summary>
public abstract class CqlException : DbException
{
    private protected CqlException(string message, bool isTransient, Exception? inner = null)
        : base(message, inner) => IsTransient = isTransient;

    /// <summary>Whether the same call may succeed later without anybody's doing. It may have had its effect all the same: <see cref="NotSent"/>.</summary>
    public override bool IsTransient { get; }

    /// <summary>Whether it is certain that no server has got the request: only then is repeating it always safe.</summary>
    public bool NotSent { get; internal init; }
}
