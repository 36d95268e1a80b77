using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>bigint (section 6.2), and counters, which can only be read.</summary>
internal sealed class BigintCodec : ICqlCodec<BigintCodec, long>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Bigint or CqlTypeCode.Counter;

    public static void Write(CqlBuffer buffer, long value) => buffer.WriteLong(value);

    public static long Read(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64BigEndian(Sized.Of(bytes, 8));
}
