using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>int (section 6.10).</summary>
internal sealed class IntCodec : ICqlCodec<IntCodec, int>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Int;

    public static void Write(CqlBuffer buffer, int value) => buffer.WriteInt(value);

    public static int Read(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(Sized.Of(bytes, 4));
}
