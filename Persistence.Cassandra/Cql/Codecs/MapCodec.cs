using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Maps (section 6.12). The servers store an empty one as null: it is read as empty.</summary>
internal sealed class MapCodec<T, TKey, TValue>(Func<Dictionary<TKey, TValue>, T> make) : CqlCodec<T>
    where T : class, IReadOnlyCollection<KeyValuePair<TKey, TValue>>
    where TKey : notnull
{
    public override bool Accepts(CqlType type) => type.Code == CqlTypeCode.Map
        && CqlCodec<TKey>.Instance.Accepts(type.Elements[0]) && CqlCodec<TValue>.Instance.Accepts(type.Elements[1]);

    public override void WriteValue(CqlBuffer buffer, T? value)
    {
        int start = buffer.Length;
        buffer.WriteInt(-1);
        if (value is null)
        {
            return;
        }

        buffer.WriteInt(value.Count);
        foreach ((TKey key, TValue element) in value)
        {
            Elements.Write(buffer, key);
            Elements.Write(buffer, element);
        }

        buffer.PatchInt(start, buffer.Length - start - 4);
    }

    public override T Read(CqlType type, ReadOnlySpan<byte> bytes)
    {
        var reader = new CqlReader(bytes);
        int count = reader.ReadInt();
        reader.EnsureRoom(count, 8);
        var map = new Dictionary<TKey, TValue>(count);
        for (int index = 0; index < count; index++)
        {
            TKey key = Elements.Read<TKey>(ref reader, type.Elements[0]);
            map[key] = Elements.Read<TValue>(ref reader, type.Elements[1]);
        }

        return make(map);
    }

    public override bool TryNull(out T value)
    {
        value = make([]);
        return true;
    }
}
