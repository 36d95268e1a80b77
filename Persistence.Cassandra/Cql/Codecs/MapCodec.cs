using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Maps (section 6.12).</summary>
internal sealed class MapCodec<T, TKey, TValue>(Func<Dictionary<TKey, TValue>, T> make)
    : CollectionCodec<T, KeyValuePair<TKey, TValue>, Dictionary<TKey, TValue>>(leastBytes: 8, make)
    where T : class, IReadOnlyCollection<KeyValuePair<TKey, TValue>>
    where TKey : notnull
{
    public override bool Accepts(CqlType type) => type.Code == CqlTypeCode.Map
        && CqlCodec<TKey>.Instance.Accepts(type.Elements[0]) && CqlCodec<TValue>.Instance.Accepts(type.Elements[1]);

    protected override void WriteItem(CqlBuffer buffer, KeyValuePair<TKey, TValue> item)
    {
        Elements.Write(buffer, item.Key);
        Elements.Write(buffer, item.Value);
    }

    protected override Dictionary<TKey, TValue> Gather(int count) => new(count);

    protected override void ReadItem(ref CqlReader reader, CqlType type, Dictionary<TKey, TValue> gathered)
    {
        TKey key = Elements.Read<TKey>(ref reader, type.Elements[0]);
        gathered[key] = Elements.Read<TValue>(ref reader, type.Elements[1]);
    }
}
