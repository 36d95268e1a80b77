using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>boolean (section 6.4): zero is false, anything else true.</summary>
internal sealed class BooleanCodec : ICqlCodec<BooleanCodec, bool>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Boolean;

    public static void Write(CqlBuffer buffer, bool value) => buffer.WriteByte(value ? (byte)1 : (byte)0);

    public static bool Read(ReadOnlySpan<byte> bytes) => Sized.Of(bytes, 1)[0] != 0;
}
