using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;

namespace ClickAggregator.Persistence.Cassandra.Tests.Protocol;

/// <summary>Bytes that another client sends for the same request.</summary>
public class RequestBytesTests
{
    [Fact]
    public void An_execute_is_its_id_and_its_parameters() => Assert.Equal(
        Hex.Text(Hex.Bytes("0004aabbccdd 000a 25 0002 00000008 0000000000000001 00000002 c3a9 00001388 0000000000000007")),
        Body(new ExecuteRequest(
            Hex.Bytes("aabbccdd"), new CqlValues().Add(1L).Add("é"), new QueryParameters(CqlConsistency.LocalOne, 5000, Timestamp: 7))));

    [Fact]
    public void An_execute_with_everything_has_it_in_the_order_of_the_flags() => Assert.Equal(
        Hex.Text(Hex.Bytes("0001ff 0006 3d 0001 fffffffe 00000064 00000002 0102 0009 0000000000000001")),
        Body(new ExecuteRequest(
            [0xff],
            new CqlValues().Add(CqlUnset.Value),
            new QueryParameters(CqlConsistency.LocalQuorum, 100, [1, 2], CqlConsistency.LocalSerial, 1))));

    [Fact]
    public void A_query_is_its_text_and_its_parameters() => Assert.Equal(
        Hex.Text(Hex.Bytes("00000003 555345 0001 00")), Body(new QueryRequest("USE", new QueryParameters(CqlConsistency.One))));

    [Fact]
    public void A_batch_is_unlogged_and_of_prepared_statements() => Assert.Equal(
        Hex.Text(Hex.Bytes("01 0002 01 0001aa 0001 00000004 00000007 01 0001bb 0000 0006 30 0008 0000000000000005")),
        Body(new BatchRequest(
            [([0xaa], new CqlValues().Add(7)), ([0xbb], new CqlValues())], CqlConsistency.LocalQuorum, CqlConsistency.Serial, 5)));

    [Fact]
    public void A_password_stands_between_its_zeros() =>
        Assert.Equal(Hex.Text(Hex.Bytes("00000004 00750070")), Body(new AuthResponseRequest("u", "p")));

    [Fact]
    public void A_header_is_nine_bytes()
    {
        var buffer = new CqlBuffer();
        int start = FrameHeader.Begin(buffer, 0x0102, Opcode.Options);
        FrameHeader.Complete(buffer, start);
        Assert.Equal("04 00 0102 05 00000000".Replace(" ", "", StringComparison.Ordinal), Hex.Text(buffer.Span));
    }

    private static string Body(CqlRequest request)
    {
        var buffer = new CqlBuffer();
        request.WriteBody(buffer);
        return Hex.Text(buffer.Span);
    }
}
