using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>tinyint (section 6.19).</summary>
internal sealed class TinyintCodec : ICqlCodec<TinyintCodec, sbyte>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Tinyint;

    public static void Write(CqlBuffer buffer, sbyte value) => buffer.WriteByte((byte)value);

    public static sbyte Read(ReadOnlySpan<byte> bytes) => (sbyte)Sized.Of(bytes, 1)[0];
}
