using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Cluster;

namespace ClickAggregator.Persistence.Cassandra.Tests.Cluster;

public class Murmur3Tests
{
    [Theory]
    [InlineData("80", -5284281814142962636)]
    [InlineData("ffffff", -9154616442117352147)]
    [InlineData("808182838485868788898a8b8c8d8e", 63099782945186636)]
    [InlineData("000361643100000400004e2000", -2383297287158073807)]
    public void Tokens_are_those_of_the_servers(string key, long token) => Assert.Equal(token, Murmur3.Token(Hex.Bytes(key)));

    [Fact]
    public void A_key_of_several_parts_has_their_lengths_and_zeros()
    {
        CqlValues values = new CqlValues().Add(20000).Add(1L).Add("ad1");
        Assert.Equal("000361643100000400004e2000", Hex.Text(RoutingKey.Of(values, [2, 0])));
        Assert.Equal("00004e20", Hex.Text(RoutingKey.Of(values, [0])));
        Assert.Null(RoutingKey.Of(values, []));
        Assert.Null(RoutingKey.Of(new CqlValues().Add<int?>(null), [0]));
        Assert.Null(RoutingKey.Of(new CqlValues().Add(CqlUnset.Value), [0]));
    }
}
