using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>A slab on its way through Orleans. Immutable: a local delivery hands over the reference.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.SlabContainer")]
internal sealed class SlabContainer : IBatchContainer
{
    public SlabContainer(StreamId streamId, Slab slab)
    {
        StreamId = streamId;
        Slab = slab;
        Token = new PartitionSequenceToken(slab.From, slab.To);
    }

    [Id(0)]
    public StreamId StreamId { get; }

    [Id(1)]
    public Slab Slab { get; }

    [Id(2)]
    public PartitionSequenceToken Token { get; }

    /// <summary>Which run of the receiver read it; of no meaning beyond the agent's cache.</summary>
    [field: NonSerialized]
    public int Epoch { get; init; }

    public StreamSequenceToken SequenceToken => Token;

    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>() =>
        Slab is T item ? [Tuple.Create(item, SequenceToken)] : [];

    public bool ImportRequestContext() => false;

    public override string ToString() => $"partition {Slab.Partition} {Token}";
}
