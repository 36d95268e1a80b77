using System.Net;
using System.Numerics;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Codecs;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using CsCheck;

namespace ClickAggregator.Persistence.Cassandra.Tests.Codecs;

public class CodecTests
{
    [Fact]
    public void Values_are_the_bytes_of_the_specification()
    {
        Same("00000001 01", true);
        Same("00000001 80", (sbyte)-128);
        Same("00000002 fffe", (short)-2);
        Same("00000004 00000001", 1);
        Same("00000008 ffffffffffffffff", -1L);
        Same("00000004 3fc00000", 1.5f);
        Same("00000008 3ff8000000000000", 1.5);
        Same("00000002 c3a9", "é");
        Same("00000000", "");
        Same("00000003 010203", new byte[] { 1, 2, 3 });
        Same("00000010 00112233445566778899aabbccddeeff", new Guid("00112233-4455-6677-8899-aabbccddeeff"));
        Same("00000004 7f000001", IPAddress.Loopback);
        Same("00000010 00000000000000000000000000000001", IPAddress.IPv6Loopback);
        Same("00000008 ffffffffffffffff", DateTimeOffset.UnixEpoch.AddMilliseconds(-1));
        Same("00000004 80000000", new DateOnly(1970, 1, 1));
        Same("00000004 7fffffff", new DateOnly(1969, 12, 31));
        Same("00000008 00004e9455b43600", new TimeOnly(23, 59, 59));
        Same("00000006 00000002 04d2", 12.34m);
        Same("00000005 00000001 f6", -1.0m);
    }

    [Theory]
    [InlineData(0, "00")]
    [InlineData(1, "01")]
    [InlineData(127, "7f")]
    [InlineData(128, "0080")]
    [InlineData(129, "0081")]
    [InlineData(-1, "ff")]
    [InlineData(-128, "80")]
    [InlineData(-129, "ff7f")]
    public void A_varint_is_as_short_as_the_specification_says(int value, string bytes)
    {
        var buffer = new CqlBuffer();
        VarintCodec.Write(buffer, value);
        Assert.Equal(bytes, Hex.Text(buffer.Span));
        Assert.Equal(new BigInteger(value), VarintCodec.Read(buffer.Span));
    }

    [Fact]
    public void A_null_and_a_value_that_is_not_set_are_told_apart()
    {
        Assert.Equal("ffffffff", Hex.Text(new CqlValues().Add<string?>(null).Encoded));
        Assert.Equal("ffffffff", Hex.Text(new CqlValues().Add<long?>(null).Encoded));
        Assert.Equal("ffffffff", Hex.Text(new CqlValues().Add<List<int>?>(null).Encoded));
        Assert.Equal("fffffffe", Hex.Text(new CqlValues().Add(CqlUnset.Value).Encoded));
    }

    [Fact]
    public void Collections_are_their_count_and_their_elements()
    {
        Same("00000014 00000002 00000004 00000001 00000004 00000002", new List<int> { 1, 2 });
        Same("00000009 00000001 00000001 61", new HashSet<string> { "a" });
        Same("00000020 00000002 00000004 00000001 00000002 0001 00000004 00000002 00000002 0002", new Dictionary<int, short> { [1] = 1, [2] = 2 });
        Same("00000004 00000000", Array.Empty<int>());
        CqlType list = CqlType.Of(CqlTypeCode.List, CqlType.Of(CqlTypeCode.Int));
        Assert.True(CqlCodec<IReadOnlyList<int>>.Instance.Accepts(list));
        Assert.False(CqlCodec<HashSet<int>>.Instance.Accepts(list));
        Assert.False(CqlCodec<List<long>>.Instance.Accepts(list));
        Assert.True(CqlCodec<List<int>>.Instance.TryNull(out List<int>? none) && none.Count == 0);
        Assert.Throws<ArgumentException>(() => new CqlValues().Add(new List<string?> { null }));
    }

    [Fact]
    public void A_value_that_cannot_be_written_leaves_no_trace()
    {
        CqlValues values = new CqlValues().Add(1);
        Assert.Throws<ArgumentException>(() => values.Add(new List<string?> { "a", null }));
        values.Add(2);
        Assert.Equal(2, values.Count);
        Assert.Equal("0000000400000001" + "0000000400000002", Hex.Text(values.Encoded));
    }

    [Fact]
    public void Types_without_a_column_are_refused()
    {
        Assert.Contains("System.Uri", Assert.Throws<NotSupportedException>(() => new CqlValues().Add(new Uri("http://x"))).Message, StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => new CqlValues().Add(DateTime.UnixEpoch));
    }

    [Fact]
    public void Bytes_of_the_wrong_number_are_no_value()
    {
        Assert.Throws<CqlProtocolException>(() => BigintCodec.Read(new byte[4]));
        Assert.Throws<CqlProtocolException>(() => IntCodec.Read(new byte[8]));
        Assert.Throws<CqlProtocolException>(() => UuidCodec.Read(new byte[15]));
        Assert.Throws<CqlProtocolException>(() => InetCodec.Read(new byte[5]));
        CqlType list = CqlType.Of(CqlTypeCode.List, CqlType.Of(CqlTypeCode.Int));
        Assert.Throws<CqlProtocolException>(() => CqlCodec<List<int>>.Instance.Read(list, Hex.Bytes("7fffffff 00000004 00000001")));
    }

    [Fact]
    public void Whatever_is_written_is_read_again()
    {
        Gen.Decimal.Sample(value => Round(value, CqlTypeCode.Decimal) == value);
        Gen.Long.Sample(value => Round(value, CqlTypeCode.Bigint) == value);
        Gen.String.Sample(value => value.Any(char.IsSurrogate) || Round(value, CqlTypeCode.Varchar) == value);
        Gen.Double.Sample(value => Round(value, CqlTypeCode.Double).Equals(value));
        Gen.DateOnly.Sample(value => Round(value, CqlTypeCode.Date) == value);
        Gen.TimeOnly.Sample(value => Round(value, CqlTypeCode.Time) == value);
        Gen.Guid.Sample(value => Round(value, CqlTypeCode.Uuid) == value);
        Gen.Long.Select(Gen.Long).Sample((high, low) =>
            Round(((BigInteger)high << 64) + low, CqlTypeCode.Varint) == ((BigInteger)high << 64) + low);
    }

    [Theory]
    [InlineData("fffffffe 07", "700")]
    [InlineData("0000001e 0064", "0.0000000000000000000000000001")]
    [InlineData("00000000 00", "0")]
    public void A_decimal_of_another_scale_is_the_same_number(string bytes, string value) =>
        Assert.Equal(decimal.Parse(value, System.Globalization.CultureInfo.InvariantCulture), DecimalCodec.Read(Hex.Bytes(bytes)));

    [Fact]
    public void A_decimal_that_is_too_long_is_no_other_number() =>
        Assert.Throws<OverflowException>(() => DecimalCodec.Read(Hex.Bytes("00000028 01")));

    private static void Same<T>(string bytes, T value) => Assert.Equal(bytes.Replace(" ", "", StringComparison.Ordinal), Hex.Text(new CqlValues().Add(value).Encoded));

    private static T Round<T>(T value, CqlTypeCode type)
    {
        CqlValues values = new CqlValues().Add(value);
        Assert.True(values.TryGetBytes(0, out ReadOnlySpan<byte> bytes));
        Assert.True(CqlCodec<T>.Instance.Accepts(CqlType.Of(type)));
        return CqlCodec<T>.Instance.Read(CqlType.Of(type), bytes);
    }
}
