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
        int start = buffer.Length;
        buffer.WriteInt(-1);
        if (value is not null)
        {
            TCodec.Write(buffer, value);
            buffer.PatchInt(start, buffer.Length - start - 4);
        }
    }

    public override T Read(CqlType type, ReadOnlySpan<byte> bytes) => TCodec.Read(bytes);
}
