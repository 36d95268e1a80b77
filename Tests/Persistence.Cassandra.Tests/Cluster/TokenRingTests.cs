using System.Net;
using ClickAggregator.Persistence.Cassandra.Cql.Cluster;
using ClickAggregator.Persistence.Cassandra.Cql.Connections;

namespace ClickAggregator.Persistence.Cassandra.Tests.Cluster;

public class TokenRingTests
{
    private static readonly Replication s_two = new(2, ByRack: false, AllCenters: true);
    private static readonly Replication s_three = new(3, ByRack: true, AllCenters: false);

    [Fact]
    public void A_token_belongs_to_the_next_one_on_the_ring_and_the_ring_wraps()
    {
        var ring = new TokenRing([Host(1, "r1", -10), Host(2, "r1", 0), Host(3, "r1", 10)], "dc1");
        Assert.Equal([1, 2], Numbers(ring.Replicas(long.MinValue, s_two)));
        Assert.Equal([1, 2], Numbers(ring.Replicas(-10, s_two)));
        Assert.Equal([2, 3], Numbers(ring.Replicas(-9, s_two)));
        Assert.Equal([3, 1], Numbers(ring.Replicas(10, s_two)));
        Assert.Equal([1, 2], Numbers(ring.Replicas(11, s_two)));
        Assert.Equal([1, 2], Numbers(ring.Replicas(long.MaxValue, s_two)));
    }

    [Fact]
    public void Several_tokens_of_a_node_are_one_replica()
    {
        var ring = new TokenRing([Host(1, "r1", 0, 1, 2), Host(2, "r1", 3)], "dc1");
        Assert.Equal([1, 2], Numbers(ring.Replicas(0, s_two)));
    }

    [Fact]
    public void Replicas_are_put_on_different_racks_first()
    {
        var ring = new TokenRing([Host(1, "r1", 0), Host(2, "r1", 1), Host(3, "r2", 2), Host(4, "r2", 3)], "dc1");
        Assert.Equal([1, 3, 2], Numbers(ring.Replicas(0, s_three)));
        Assert.Equal([2, 3, 4], Numbers(ring.Replicas(1, s_three)));
        var one = new TokenRing([Host(1, "r1", 0), Host(2, "r1", 1), Host(3, "r1", 2)], "dc1");
        Assert.Equal([2, 3, 1], Numbers(one.Replicas(1, s_three)));
    }

    [Fact]
    public void Nodes_of_other_data_centres_are_passed_over()
    {
        var ring = new TokenRing([Host(1, "r1", 0), Host(2, "r1", 1, "dc2"), Host(3, "r1", 2)], "dc1");
        Assert.Equal([1, 3], Numbers(ring.Replicas(0, s_three)));
        Assert.Equal([1], Numbers(ring.Replicas(0, s_two)));
        Assert.Empty(ring.Replicas(0, default).ToArray());
    }

    [Theory]
    [InlineData("org.apache.cassandra.locator.SimpleStrategy", "replication_factor", "3", 3, false)]
    [InlineData("org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1", "3", 3, true)]
    [InlineData("NetworkTopologyStrategy", "dc1", "3/1", 3, true)]
    [InlineData("NetworkTopologyStrategy", "dc2", "3", 0, true)]
    [InlineData("org.apache.cassandra.locator.LocalStrategy", "x", "3", 0, false)]
    public void Replication_is_read_from_the_keyspace(string name, string key, string value, int factor, bool byRack)
    {
        var read = Replication.Read(new Dictionary<string, string> { ["class"] = name, [key] = value }, "dc1");
        Assert.Equal((factor, byRack), (read.Factor, read.ByRack));
    }

    private static ClusterHost Host(int number, string rack, params long[] tokens) => Host(number, rack, "dc1", tokens);

    private static ClusterHost Host(int number, string rack, long token, string dataCenter) => Host(number, rack, dataCenter, [token]);

    private static ClusterHost Host(int number, string rack, string dataCenter, long[] tokens) =>
        new(new HostInfo(CqlEndpoint.Of(IPAddress.Parse($"10.0.0.{number}"), 9042), dataCenter, rack, tokens, "5"), null);

    private static int[] Numbers(ReadOnlySpan<ClusterHost> hosts) =>
        [.. hosts.ToArray().Select(host => (int)host.Info.Endpoint.Address.Address.GetAddressBytes()[3])];
}
