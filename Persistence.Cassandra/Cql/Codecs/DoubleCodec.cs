using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>double (section 6.7).</summary>
internal sealed class DoubleCodec : ICqlCodec<DoubleCodec, double>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Double;

    public static void Write(CqlBuffer buffer, double value) => BinaryPrimitives.WriteDoubleBigEndian(buffer.Take(8), value);

    public static double Read(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadDoubleBigEndian(Sized.Of(bytes, 8));
}
