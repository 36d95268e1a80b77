using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Nullable of another codec's type.</summary>
internal sealed class NullableCodec<T> : CqlCodec<T?>
    where T : struct
{
    public override bool Accepts(CqlType type) => CqlCodec<T>.Instance.Accepts(type);

    public override void WriteValue(CqlBuffer buffer, T? value)
    {
        if (value is { } given)
        {
            CqlCodec<T>.Instance.WriteValue(buffer, given);
        }
        else
        {
            buffer.WriteNull();
        }
    }

    public override T? Read(CqlType type, ReadOnlySpan<byte> bytes) => CqlCodec<T>.Instance.Read(type, bytes);

    public override bool TryNull(out T? value)
    {
        value = null;
        return true;
    }
}
