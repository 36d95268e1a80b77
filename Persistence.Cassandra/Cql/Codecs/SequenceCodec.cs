using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>Lists and sets (sections 6.11 and 6.13).</summary>
internal sealed class SequenceCodec<T, TElement>(CqlTypeCode code, Func<List<TElement>, T> make)
    : CollectionCodec<T, TElement, List<TElement>>(leastBytes: 4, make)
    where T : class, IReadOnlyCollection<TElement>
{
    public override bool Accepts(CqlType type) => type.Code == code && CqlCodec<TElement>.Instance.Accepts(type.Elements[0]);

    protected override void WriteItem(CqlBuffer buffer, TElement item) => Elements.Write(buffer, item);

    protected override List<TElement> Gather(int count) => new(count);

    protected override void ReadItem(ref CqlReader reader, CqlType type, List<TElement> gathered) =>
        gathered.Add(Elements.Read<TElement>(ref reader, type.Elements[0]));
}
