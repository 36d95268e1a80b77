namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>The cluster as it was when it was last looked at.</summary>
internal sealed class Topology
{
    private readonly TokenRing _ring;
    private readonly IReadOnlyDictionary<string, Replication> _keyspaces;
    private int _turn = Random.Shared.Next();

    public Topology(IReadOnlyList<ClusterHost> hosts, string dataCenter, IReadOnlyDictionary<string, Replication> keyspaces)
    {
        Hosts = hosts;
        DataCenter = dataCenter;
        Local = [.. hosts.Where(host => host.Pool is not null)];
        _keyspaces = keyspaces;
        _ring = new TokenRing(hosts, dataCenter);
    }

    public IReadOnlyList<ClusterHost> Hosts { get; }

    /// <summary>The nodes that are asked.</summary>
    public IReadOnlyList<ClusterHost> Local { get; }

    public string DataCenter { get; }

    public IReadOnlyDictionary<string, Replication> Keyspaces => _keyspaces;

    /// <summary>
    /// The nodes to ask, in this order: the replicas, then the others in turn. Reads and writes are spread over the
    /// replicas; conditional statements go to the first one, where they meet each other before they compete.
    /// </summary>
    public ClusterHost[] Plan(string? keyspace, long? token, bool isConditional)
    {
        uint turn = (uint)Interlocked.Increment(ref _turn);
        ReadOnlySpan<ClusterHost> replicas = token is { } at && keyspace is not null
            ? _ring.Replicas(at, _keyspaces.GetValueOrDefault(keyspace))
            : [];
        var plan = new ClusterHost[Local.Count];
        int count = 0;
        for (int step = 0; step < replicas.Length; step++)
        {
            Add(replicas[(int)((step + (isConditional ? 0 : turn)) % (uint)replicas.Length)]);
        }

        for (int step = 0; count < plan.Length; step++)
        {
            Add(Local[(int)((step + turn) % (uint)Local.Count)]);
        }

        return plan;

        void Add(ClusterHost host)
        {
            if (Array.IndexOf(plan, host, 0, count) < 0)
            {
                plan[count++] = host;
            }
        }
    }
}
