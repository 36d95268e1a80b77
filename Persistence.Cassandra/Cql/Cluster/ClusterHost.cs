using ClickAggregator.Persistence.Cassandra.Cql.Connections;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>A node, with connections to it if it is in the local data centre. One object a look at the cluster; its pool outlives it.</summary>
internal sealed class ClusterHost(HostInfo info, HostPool? pool)
{
    public HostInfo Info { get; } = info;

    public HostPool? Pool { get; } = pool;

    public string Name => Info.Endpoint.ToString();
}
