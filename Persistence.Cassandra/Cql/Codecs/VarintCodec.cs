using System.Numerics;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>varint (section 6.23).</summary>
internal sealed class VarintCodec : ICqlCodec<VarintCodec, BigInteger>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Varint;

    public static void Write(CqlBuffer buffer, BigInteger value) => value.TryWriteBytes(buffer.Take(value.GetByteCount()), out _, isBigEndian: true);

    public static BigInteger Read(ReadOnlySpan<byte> bytes) => new(bytes, isBigEndian: true);
}
