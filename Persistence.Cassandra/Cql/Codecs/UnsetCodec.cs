using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>A value that is not set (section 3, [value] of the length -2).</summary>
internal sealed class UnsetCodec : CqlCodec<CqlUnset>
{
    public override bool Accepts(CqlType type) => true;

    public override void WriteValue(CqlBuffer buffer, CqlUnset value) => buffer.WriteInt(-2);

    public override CqlUnset Read(CqlType type, ReadOnlySpan<byte> bytes) => throw new InvalidCastException("No column holds CqlUnset");
}
