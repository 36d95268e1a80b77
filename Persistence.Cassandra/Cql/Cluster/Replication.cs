using System.Globalization;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>How many nodes of the local data centre hold each row of a keyspace.</summary>
/// <param name="Factor">0 where they cannot be told.</param>
/// <param name="ByRack">Whether replicas are put on different racks.</param>
/// <param name="AllCenters">Whether replicas are found without regard to data centres.</param>
internal readonly record struct Replication(int Factor, bool ByRack, bool AllCenters)
{
    public static Replication Read(IReadOnlyDictionary<string, string> map, string dataCenter)
    {
        string name = map.GetValueOrDefault("class", "");
        return name[(name.LastIndexOf('.') + 1)..] switch
        {
            "SimpleStrategy" => new Replication(Factor(map, "replication_factor"), ByRack: false, AllCenters: true),
            "NetworkTopologyStrategy" => new Replication(Factor(map, dataCenter), ByRack: true, AllCenters: false),
            _ => default,
        };

        // Transient replicas stand after a slash.
        static int Factor(IReadOnlyDictionary<string, string> map, string key) =>
            int.TryParse(map.GetValueOrDefault(key, "").Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int factor) ? factor : 0;
    }
}
