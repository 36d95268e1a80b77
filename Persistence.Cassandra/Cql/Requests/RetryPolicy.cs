namespace ClickAggregator.Persistence.Cassandra.Cql.Requests;

/// <summary>The one place that decides whether another node is asked.</summary>
internal static class RetryPolicy
{
    // Where servers answered that they cannot, more of them will hardly help, and each takes the load again.
    private const int MaxServerFaults = 2;

    /// <param name="fault">Of the node that was asked last.</param>
    /// <param name="kind">What is asked.</param>
    /// <param name="serverFaults">How many servers have answered with an error, this one included.</param>
    public static bool MayTryNext(CqlException fault, RequestKind kind, int serverFaults) => fault switch
    {
        // A node that cannot be understood is not a matter of luck.
        CqlProtocolException => false,
        { NotSent: true } => true,
        _ when kind != RequestKind.Idempotent => false,
        CqlConnectionException => true,
        CqlServerException { Code: CqlErrorCode.IsBootstrapping } => true,
        CqlServerException { IsTransient: true } => serverFaults < MaxServerFaults,
        // The deadline has passed, or the next node would say the same.
        _ => false,
    };

    /// <summary>
    /// Whether a conditional write is certain not to be applied. Not even "unavailable" and "overloaded" are: a round before
    /// may have proposed the value to some replicas, and another client's read completes it.
    /// </summary>
    public static bool IsCertainlyNotApplied(CqlException fault) => fault switch
    {
        { NotSent: true } => true,
        CqlServerException refused => refused.Code
            is CqlErrorCode.SyntaxError or CqlErrorCode.Unauthorized or CqlErrorCode.Invalid or CqlErrorCode.ConfigError
            or CqlErrorCode.AlreadyExists or CqlErrorCode.Unprepared or CqlErrorCode.ProtocolError or CqlErrorCode.IsBootstrapping
            or CqlErrorCode.FunctionFailure,
        CqlAuthenticationException => true,
        _ => false,
    };
}
