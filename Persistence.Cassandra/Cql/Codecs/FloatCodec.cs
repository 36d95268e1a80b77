using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>float (section 6.8).</summary>
internal sealed class FloatCodec : ICqlCodec<FloatCodec, float>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Float;

    public static void Write(CqlBuffer buffer, float value) => BinaryPrimitives.WriteSingleBigEndian(buffer.Take(4), value);

    public static float Read(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadSingleBigEndian(Sized.Of(bytes, 4));
}
