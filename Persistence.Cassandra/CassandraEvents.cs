using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra;

/// <summary>What the providers tell the operator; the client's own events are 4301 to 4310.</summary>
internal static partial class CassandraEvents
{
    [LoggerMessage(Level = LogLevel.Information, EventId = 4321, Message = "Cassandra: keyspace {Keyspace} was created with replication {Replication}")]
    public static partial void KeyspaceCreated(ILogger logger, string keyspace, string replication);

    [LoggerMessage(Level = LogLevel.Information, EventId = 4322, Message = "Cassandra: the tables '{Part}' of keyspace {Keyspace} have version {Version}")]
    public static partial void Upgraded(ILogger logger, string part, string keyspace, int version);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4323,
        Message = "Cassandra: keyspace {Keyspace} keeps each row on one of {Nodes} nodes: when that node is away, what it holds cannot be read or written, "
            + "and when it is lost, so is the data. Give the keyspace a replication of 3: ALTER KEYSPACE, then nodetool repair")]
    public static partial void NotReplicated(ILogger logger, string keyspace, int nodes);

    [LoggerMessage(Level = LogLevel.Information, EventId = 4324,
        Message = "Cassandra: a conditional write of {What} was not answered; attempt {Attempt}, what is stored: {Standing}")]
    public static partial void Unanswered(ILogger logger, string what, int attempt, Standing standing, Exception? fault);

    [LoggerMessage(Level = LogLevel.Information, EventId = 4325, Message = "Cassandra: {Count} silos that are dead were removed from cluster {Cluster}")]
    public static partial void SilosRemoved(ILogger logger, int count, string cluster);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4326, Message = "Cassandra: a client failed to close")]
    public static partial void CloseFailed(ILogger logger, Exception fault);
}
