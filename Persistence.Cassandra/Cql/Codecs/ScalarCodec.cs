using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>A codec of static members as an object.</summary>
internal sealed class ScalarCodec<TCodec, T> : CqlCodec<T>
    where TCodec : ICqlCodec<TCodec, T>
    where T : notnull
{
    public override bool Accepts(CqlType type) => TCodec.Accepts(type.Code);

    public override void WriteValue(CqlBuffer buffer, T? value)
    {
        if (value is null)
        {
            buffer.WriteNull();
            return;
        }

        int start = buffer.BeginBytes();
        TCodec.Write(buffer, value);
        buffer.EndBytes(start);
    }

    public override T Read(CqlType type, ReadOnlySpan<byte> bytes) => TCodec.Read(bytes);
}
