using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>smallint (section 6.14).</summary>
internal sealed class SmallintCodec : ICqlCodec<SmallintCodec, short>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Smallint;

    public static void Write(CqlBuffer buffer, short value) => BinaryPrimitives.WriteInt16BigEndian(buffer.Take(2), value);

    public static short Read(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt16BigEndian(Sized.Of(bytes, 2));
}
