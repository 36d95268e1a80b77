using System.Collections.Concurrent;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>Which nodes hold a token. Tokens are compared signed; beyond the last one the ring begins again.</summary>
internal sealed class TokenRing
{
    private readonly long[] _tokens;
    private readonly ClusterHost[] _owners;
    private readonly string _dataCenter;
    private readonly ConcurrentDictionary<Replication, ClusterHost[]?[]> _replicas = new();

    public TokenRing(IEnumerable<ClusterHost> hosts, string dataCenter)
    {
        (long Token, ClusterHost Host)[] entries = [.. hosts
            .SelectMany(host => host.Info.Tokens.Select(token => (token, host)))
            .OrderBy(entry => entry.token)];
        _tokens = Array.ConvertAll(entries, entry => entry.Token);
        _owners = Array.ConvertAll(entries, entry => entry.Host);
        _dataCenter = dataCenter;
    }

    /// <summary>The nodes of the local data centre that hold it, the first replica first; none where that cannot be told.</summary>
    public ReadOnlySpan<ClusterHost> Replicas(long token, Replication replication)
    {
        if (_tokens.Length == 0 || replication.Factor == 0)
        {
            return [];
        }

        int at = Array.BinarySearch(_tokens, token);
        at = at >= 0 ? at : ~at;
        at = at == _tokens.Length ? 0 : at;
        ClusterHost[]?[] known = _replicas.GetOrAdd(replication, static (_, size) => new ClusterHost[]?[size], _tokens.Length);
        return known[at] ??= Walk(at, replication);
    }

    // Racks first: a second node of a rack waits until every rack has one, as NetworkTopologyStrategy does it.
    private ClusterHost[] Walk(int start, Replication replication)
    {
        IEnumerable<ClusterHost> round = Enumerable.Range(0, _owners.Length)
            .Select(step => _owners[(start + step) % _owners.Length])
            .Where(host => replication.AllCenters || IsLocal(host))
            .Distinct();
        if (!replication.ByRack)
        {
            return [.. round.Take(replication.Factor).Where(IsLocal)];
        }

        int racks = _owners.Where(IsLocal).Select(host => host.Info.Rack).Distinct(StringComparer.Ordinal).Count();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var replicas = new List<ClusterHost>();
        var waiting = new List<ClusterHost>();
        foreach (ClusterHost host in round)
        {
            if (seen.Add(host.Info.Rack))
            {
                replicas.Add(host);
                if (seen.Count == racks)
                {
                    replicas.AddRange(waiting);
                    waiting.Clear();
                }
            }
            else
            {
                (seen.Count == racks ? replicas : waiting).Add(host);
            }
        }

        return [.. replicas.Take(replication.Factor)];
    }

    private bool IsLocal(ClusterHost host) => string.Equals(host.Info.DataCenter, _dataCenter, StringComparison.Ordinal);
}
