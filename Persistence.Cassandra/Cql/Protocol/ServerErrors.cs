namespace ClickAggregator.Persistence.Cassandra.Cql.Protocol;

/// <summary>The one place where an ERROR (sections 4.2.1 and 9) becomes an exception.</summary>
internal static class ServerErrors
{
    public static CqlException ToException(ref CqlReader reader, string host)
    {
        var code = (CqlErrorCode)reader.ReadInt();
        string message = reader.ReadString();
        bool isTransient = IsTransient(code);
        switch (code)
        {
            case CqlErrorCode.AuthenticationError:
                return new CqlAuthenticationException($"{host} does not let this user in: {message}");
            case CqlErrorCode.Unavailable:
                var level = (CqlConsistency)reader.ReadShort();
                int required = reader.ReadInt();
                return new CqlServerException(code, message, host, isTransient) { Consistency = level, Required = required, Received = reader.ReadInt() };
            case CqlErrorCode.WriteTimeout or CqlErrorCode.ReadTimeout:
                (level, int received, required) = ((CqlConsistency)reader.ReadShort(), reader.ReadInt(), reader.ReadInt());
                return code == CqlErrorCode.WriteTimeout
                    ? new CqlServerException(code, message, host, isTransient)
                    { Consistency = level, Received = received, Required = required, WriteType = reader.ReadString() }
                    : new CqlServerException(code, message, host, isTransient)
                    { Consistency = level, Received = received, Required = required, DataPresent = reader.ReadByte() != 0 };
            case CqlErrorCode.WriteFailure or CqlErrorCode.ReadFailure:
                (level, received, required) = ((CqlConsistency)reader.ReadShort(), reader.ReadInt(), reader.ReadInt());
                int failures = reader.ReadInt();
                return code == CqlErrorCode.WriteFailure
                    ? new CqlServerException(code, message, host, isTransient)
                    { Consistency = level, Received = received, Required = required, Failures = failures, WriteType = reader.ReadString() }
                    : new CqlServerException(code, message, host, isTransient)
                    { Consistency = level, Received = received, Required = required, Failures = failures, DataPresent = reader.ReadByte() != 0 };
            case CqlErrorCode.CasWriteUnknown:
                (level, received, required) = ((CqlConsistency)reader.ReadShort(), reader.ReadInt(), reader.ReadInt());
                return new CqlServerException(code, message, host, isTransient) { Consistency = level, Received = received, Required = required, WriteType = "CAS" };
            case CqlErrorCode.FunctionFailure or CqlErrorCode.AlreadyExists:
                string keyspace = reader.ReadString();
                return new CqlServerException(code, message, host, isTransient) { Keyspace = keyspace, Name = reader.ReadString() };
            case CqlErrorCode.Unprepared:
                return new CqlServerException(code, message, host, isTransient) { UnpreparedId = reader.ReadShortBytes().ToArray() };
            default:
                return new CqlServerException(code, message, host, isTransient);
        }
    }

    // What goes away by itself while nodes restart, replicas catch up and load passes. A failure (rather than a timeout)
    // is often one of the data, too many tombstones say, but as often a node that is going down.
    private static bool IsTransient(CqlErrorCode code) => code
        is CqlErrorCode.ServerError or CqlErrorCode.Unavailable or CqlErrorCode.Overloaded or CqlErrorCode.IsBootstrapping
        or CqlErrorCode.TruncateError or CqlErrorCode.WriteTimeout or CqlErrorCode.ReadTimeout or CqlErrorCode.ReadFailure
        or CqlErrorCode.WriteFailure or CqlErrorCode.CasWriteUnknown;
}
