using ClickAggregator.Persistence.Cassandra.Cql.Connections;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>What the client tells the operator.</summary>
internal static partial class CqlEvents
{
    [LoggerMessage(Level = LogLevel.Warning, EventId = 4301, Message = "Cassandra at {Host} warns: {Warning}")]
    public static partial void ServerWarning(ILogger logger, string host, string warning);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4302,
        Message = "Cassandra at {Host}: {Orphans} requests were given up and not answered yet, the connection is replaced")]
    public static partial void TooManyOrphans(ILogger logger, string host, int orphans);

    [LoggerMessage(Level = LogLevel.Information, EventId = 4303, Message = "Cassandra at {Host} is connected")]
    public static partial void HostUp(ILogger logger, CqlEndpoint host);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4304, Message = "Cassandra at {Host} is lost, it is tried again: {Reason}")]
    public static partial void HostDown(ILogger logger, CqlEndpoint host, string reason);

    [LoggerMessage(Level = LogLevel.Debug, EventId = 4305, Message = "Cassandra at {Host} cannot be connected to")]
    public static partial void ConnectFailed(ILogger logger, CqlEndpoint host, Exception fault);

    [LoggerMessage(Level = LogLevel.Information, EventId = 4306,
        Message = "Cassandra: {Hosts} nodes known, {LocalHosts} of them in the data centre {DataCenter}; {Host} tells of changes")]
    public static partial void TopologyRead(ILogger logger, int hosts, int localHosts, string dataCenter, string host);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4307,
        Message = "Cassandra: no node can be asked about the cluster, it is tried again; names are resolved anew. {Reason}")]
    public static partial void ClusterLost(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4308, Message = "Cassandra: the keyspaces could not be read; requests go round the ring")]
    public static partial void KeyspacesUnread(ILogger logger, Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, EventId = 4309,
        Message = "Cassandra: more than {Limit} statements were prepared, the oldest is forgotten: are values written into texts?")]
    public static partial void TooManyStatements(ILogger logger, int limit);

    [LoggerMessage(Level = LogLevel.Error, EventId = 4310, Message = "Cassandra: watching the cluster failed, it is begun again")]
    public static partial void MonitorFailed(ILogger logger, Exception fault);
}
