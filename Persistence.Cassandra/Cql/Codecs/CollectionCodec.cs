using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Lists, sets and maps (sections 6.11 to 6.13). The servers store an empty one as null: it is read as empty.</summary>
/// <param name="leastBytes">How many bytes an item has at least.</param>
/// <param name="make">Makes what the caller wants of what is gathered.</param>
internal abstract class CollectionCodec<T, TItem, TGathered>(int leastBytes, Func<TGathered, T> make) : CqlCodec<T>
    where T : class, IReadOnlyCollection<TItem>
{
    public override void WriteValue(CqlBuffer buffer, T? value)
    {
        if (value is null)
        {
            buffer.WriteNull();
            return;
        }

        int start = buffer.BeginBytes();
        buffer.WriteInt(value.Count);
        foreach (TItem item in value)
        {
            WriteItem(buffer, item);
        }

        buffer.EndBytes(start);
    }

    public override T Read(CqlType type, ReadOnlySpan<byte> bytes)
    {
        var reader = new CqlReader(bytes);
        int count = reader.ReadInt();
        reader.EnsureRoom(count, leastBytes);
        TGathered gathered = Gather(count);
        for (int index = 0; index < count; index++)
        {
            ReadItem(ref reader, type, gathered);
        }

        return make(gathered);
    }

    public override bool TryNull(out T value)
    {
        value = make(Gather(0));
        return true;
    }

    protected abstract void WriteItem(CqlBuffer buffer, TItem item);

    /// <summary>An empty one with room for so many.</summary>
    protected abstract TGathered Gather(int count);

    protected abstract void ReadItem(ref CqlReader reader, CqlType type, TGathered gathered);
}
