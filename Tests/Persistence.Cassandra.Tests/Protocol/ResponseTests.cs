using System.Buffers;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol.Messages;
using ClickAggregator.Persistence.Cassandra.Tests.Fakes;

namespace ClickAggregator.Persistence.Cassandra.Tests.Protocol;

public class ResponseTests
{
    public static TheoryData<int> Flags => [.. Enumerable.Range(0, 8)];

    [Theory]
    [MemberData(nameof(Flags))]
    public void What_flags_put_before_a_body_is_read_in_every_combination(int combination)
    {
        var flags = (FrameFlags)(combination << 1);
        var buffer = new CqlBuffer();
        if (flags.HasFlag(FrameFlags.Tracing))
        {
            buffer.WriteRaw(new byte[16]);
        }

        if (flags.HasFlag(FrameFlags.Warning))
        {
            buffer.WriteShort(2);
            buffer.WriteString("one");
            buffer.WriteString("two");
        }

        if (flags.HasFlag(FrameFlags.CustomPayload))
        {
            buffer.WriteShort(2);
            buffer.WriteString("a");
            buffer.WriteBytes([1]);
            buffer.WriteString("b");
            buffer.WriteInt(-1);
        }

        buffer.WriteRaw(Reply.Rows([("n", "0009")], [[FakeCluster.Int(42)]]).Body);
        CqlResponse response = CqlResponse.Parse(new Frame(flags, Opcode.Result, buffer.Span.ToArray()), "h");
        Assert.Equal(42, Assert.IsType<RowsResult>(response).Page[0].Get<int>("n"));
        Assert.Equal(flags.HasFlag(FrameFlags.Warning) ? ["one", "two"] : [], response.Warnings);
    }

    [Theory]
    [InlineData(0x0000, "", true)]
    [InlineData(0x000A, "", false)]
    [InlineData(0x1000, "0006 00000003 00000002", true)]
    [InlineData(0x1001, "", true)]
    [InlineData(0x1002, "", true)]
    [InlineData(0x1003, "", true)]
    [InlineData(0x1100, "0006 00000001 00000002 0003 434153", true)]
    [InlineData(0x1200, "0006 00000001 00000002 01", true)]
    [InlineData(0x1300, "0006 00000001 00000002 00000001 00", true)]
    [InlineData(0x1400, "0002 6b73 0001 66 0000", false)]
    [InlineData(0x1500, "0006 00000001 00000002 00000001 0006 53494d504c45", true)]
    [InlineData(0x1700, "0008 00000001 00000002", true)]
    [InlineData(0x2000, "", false)]
    [InlineData(0x2100, "", false)]
    [InlineData(0x2200, "", false)]
    [InlineData(0x2300, "", false)]
    [InlineData(0x2400, "0002 6b73 0001 74", false)]
    [InlineData(0x2500, "0002 abcd", false)]
    [InlineData(0x7777, "00", false)]
    public void Every_error_is_read_with_what_it_says_more(int code, string more, bool isTransient)
    {
        Reply reply = Reply.Error((CqlErrorCode)code, "why", buffer => buffer.WriteRaw(Hex.Bytes(more)));
        var fault = Assert.Throws<CqlServerException>(() => CqlResponse.Parse(new Frame(FrameFlags.None, Opcode.Error, reply.Body), "h:1"));
        Assert.Equal((CqlErrorCode)code, fault.Code);
        Assert.Equal("why", fault.ServerMessage);
        Assert.Equal("h:1", fault.Host);
        Assert.Equal(isTransient, fault.IsTransient);
        Assert.False(fault.NotSent);
        switch (code)
        {
            case 0x1000:
                Assert.Equal((CqlConsistency.LocalQuorum, 3, 2), (fault.Consistency!.Value, fault.Required!.Value, fault.Received!.Value));
                break;
            case 0x1100:
                Assert.Equal((CqlConsistency.LocalQuorum, 1, 2, "CAS"), (fault.Consistency!.Value, fault.Received!.Value, fault.Required!.Value, fault.WriteType));
                break;
            case 0x1200:
                Assert.True(fault.DataPresent);
                break;
            case 0x1300:
                Assert.Equal((1, false), (fault.Failures!.Value, fault.DataPresent!.Value));
                break;
            case 0x1500:
                Assert.Equal((1, "SIMPLE"), (fault.Failures!.Value, fault.WriteType));
                break;
            case 0x1400 or 0x2400:
                Assert.Equal(("ks", code == 0x1400 ? "f" : "t"), (fault.Keyspace, fault.Name));
                break;
            case 0x2500:
                Assert.Equal([0xab, 0xcd], fault.UnpreparedId);
                break;
        }
    }

    [Fact]
    public void A_wrong_password_is_an_exception_of_its_own()
    {
        Reply reply = Reply.Error(CqlErrorCode.AuthenticationError, "no");
        var fault = Assert.Throws<CqlAuthenticationException>(() => CqlResponse.Parse(new Frame(FrameFlags.None, Opcode.Error, reply.Body), "h:1"));
        Assert.False(fault.IsTransient);
    }

    [Fact]
    public void An_answer_that_ends_anywhere_too_early_is_a_fault_of_the_protocol()
    {
        foreach (Reply reply in new[]
        {
            Reply.Rows([("a", "0009"), ("m", "0021000d0022000c")], [[FakeCluster.Int(1), null], [null, [0, 0, 0, 0]]], [9]),
            Reply.Prepared("id", [("a", "0009"), ("u", "0030 0001 6b 0001 75 0001 0001 66 0009"), ("t", "0031 0002 0009 000d")], 1, 0),
            Reply.Error(CqlErrorCode.WriteTimeout, "late", buffer => buffer.WriteRaw(Hex.Bytes("0006 00000001 00000002 0003 434153"))),
        })
        {
            // What PREPARE says of the result is not believed, and so not read: its last eight bytes here.
            int read = reply.Body.Length - (reply.Body is [0, 0, 0, 4, ..] && reply.Opcode == Opcode.Result ? 8 : 0);
            for (int length = 0; length < read; length++)
            {
                Assert.Throws<CqlProtocolException>(() => CqlResponse.Parse(new Frame(FrameFlags.None, reply.Opcode, reply.Body[..length]), "h"));
            }

            // More than is known is allowed: a later version may say more.
            byte[] longer = [.. reply.Body, 1, 2, 3];
            Exception? fault = Record.Exception(() => CqlResponse.Parse(new Frame(FrameFlags.None, reply.Opcode, longer), "h"));
            Assert.True(fault is null or CqlServerException, fault?.ToString());
        }
    }

    [Fact]
    public void Counts_that_lie_make_no_room()
    {
        byte[] rows = Reply.Rows([("n", "0009")], []).Body;
        Hex.Bytes("7fffffff").CopyTo(rows, rows.Length - 4);
        Assert.Throws<CqlProtocolException>(() => CqlResponse.Parse(new Frame(FrameFlags.None, Opcode.Result, rows), "h"));
        Assert.Throws<CqlProtocolException>(() => CqlResponse.Parse(
            new Frame(FrameFlags.None, Opcode.Result, Hex.Bytes("00000002 00000001 7fffffff 0000 0000")), "h"));
    }

    [Fact]
    public void Columns_of_types_that_we_do_not_use_are_passed_over()
    {
        byte[] body = Reply.Rows(
            [("u", "0030 0001 6b 0001 75 0001 0001 66 0009"), ("t", "0031 0002 0009 000d"), ("v", "0000 0001 78"), ("d", "0015"), ("n", "0009")],
            [[[1], [2], [3], [4], FakeCluster.Int(5)]]).Body;
        CqlPage page = Assert.IsType<RowsResult>(CqlResponse.Parse(new Frame(FrameFlags.None, Opcode.Result, body), "h")).Page;
        Assert.Equal(5, page[0].Get<int>("n"));
        Assert.True(page[0].TryGetBytes("u", out ReadOnlySpan<byte> raw));
        Assert.Equal([1], raw.ToArray());
        Assert.Equal("tuple<int, text>", page.Columns[1].TypeName);
    }

    [Fact]
    public void A_row_says_what_is_wrong_with_a_question()
    {
        byte[] body = Reply.Rows([("n", "0009"), ("e", "0009"), ("s", "000d")], [[null, [], []]]).Body;
        CqlRow row = Assert.IsType<RowsResult>(CqlResponse.Parse(new Frame(FrameFlags.None, Opcode.Result, body), "h")).Page[0];
        Assert.Equal("Column n is null", Assert.Throws<InvalidCastException>(() => row.Get<int>("n")).Message);
        Assert.Null(row.Get<int?>("n"));
        Assert.Null(row.Get<int?>("e"));
        Assert.Equal("", row.Get<string>("s"));
        Assert.Equal(0, row.GetOrDefault<int>("n"));
        Assert.StartsWith("Column n is int, which cannot be read as System.Int64", Assert.Throws<InvalidCastException>(() => row.Get<long>("n")).Message, StringComparison.Ordinal);
        Assert.StartsWith("There is no column x; there are n, e, s", Assert.Throws<ArgumentException>(() => row.Get<int>("x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_that_cannot_be_is_refused()
    {
        Assert.False(FrameHeader.TryRead(Sequence("84 00 0000 08 000000"), 100, out _));
        Assert.True(FrameHeader.TryRead(Sequence("84 08 0001 08 00000064"), 100, out FrameHeader header));
        Assert.Equal(new FrameHeader(FrameFlags.Warning, 1, Opcode.Result, 100), header);
        Assert.Contains("version 5", Refused("85 00 0000 08 00000000"), StringComparison.Ordinal);
        Assert.Contains("no server of CQL", Refused("48 54 5450 2f 312e3120"), StringComparison.Ordinal);
        Assert.Contains("101 bytes", Refused("84 00 0000 08 00000065"), StringComparison.Ordinal);
        Assert.Contains("4294967295 bytes", Refused("84 00 0000 08 ffffffff"), StringComparison.Ordinal);
        Assert.Contains("compressed", Refused("84 01 0000 08 00000001"), StringComparison.Ordinal);

        static string Refused(string bytes) => Assert.Throws<CqlProtocolException>(() => FrameHeader.TryRead(Sequence(bytes), 100, out _)).Message;
    }

    private static ReadOnlySequence<byte> Sequence(string bytes) => new(Hex.Bytes(bytes));
}
