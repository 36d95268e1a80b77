using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Lists and sets (sections 6.11 and 6.13). The servers store an empty one as null: it is read as empty.</summary>
internal sealed class SequenceCodec<T, TElement>(CqlTypeCode code, Func<List<TElement>, T> make) : CqlCodec<T>
    where T : class, IReadOnlyCollection<TElement>
{
    public override bool Accepts(CqlType type) => type.Code == code && CqlCodec<TElement>.Instance.Accepts(type.Elements[0]);

    public override void WriteValue(CqlBuffer buffer, T? value)
    {
        int start = buffer.Length;
        buffer.WriteInt(-1);
        if (value is null)
        {
            return;
        }

        buffer.WriteInt(value.Count);
        foreach (TElement element in value)
        {
            Elements.Write(buffer, element);
        }

        buffer.PatchInt(start, buffer.Length - start - 4);
    }

    public override T Read(CqlType type, ReadOnlySpan<byte> bytes)
    {
        var reader = new CqlReader(bytes);
        int count = reader.ReadInt();
        reader.EnsureRoom(count, 4);
        var elements = new List<TElement>(count);
        for (int index = 0; index < count; index++)
        {
            elements.Add(Elements.Read<TElement>(ref reader, type.Elements[0]));
        }

        return make(elements);
    }

    public override bool TryNull(out T value)
    {
        value = make([]);
        return true;
    }
}
