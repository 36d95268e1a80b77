using ClickAggregator.Persistence.Cassandra.Cql.Connections;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>What the cluster says of a node.</summary>
internal sealed record HostInfo(CqlEndpoint Endpoint, string DataCenter, string Rack, IReadOnlyList<long> Tokens, string ReleaseVersion);
