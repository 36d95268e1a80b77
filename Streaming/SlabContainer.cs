using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Streams;

namespace ClickAggregator.Streaming;

/// <summary>
/// A slab on its way through Orleans. Immutable: a local delivery hands over the reference. On another silo it finds that
/// silo's way of reading items by the provider's name.
/// </summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Streaming.SlabContainer")]
[SerializationCallbacks(typeof(OnDeserializedCallbacks))]
internal sealed class SlabContainer : IBatchContainer, IOnDeserialized
{
    [NonSerialized]
    private IItemReader? _items;

    public SlabContainer(StreamId streamId, Slab slab, string provider = "", IItemReader? items = null, long least = 0)
    {
        StreamId = streamId;
        Slab = slab;
        Token = new PartitionSequenceToken(slab.From, slab.To);
        Provider = provider;
        Least = least;
        _items = items;
    }

    [Id(0)]
    public StreamId StreamId { get; }

    [Id(1)]
    public Slab Slab { get; }

    [Id(2)]
    public PartitionSequenceToken Token { get; }

    [Id(3)]
    public string Provider { get; }

    /// <summary>Items of records below are left out: their consumer has resumed behind them.</summary>
    [Id(4)]
    public long Least { get; }

    /// <summary>Which run of the receiver read it; of no meaning beyond the agent's cache.</summary>
    [field: NonSerialized]
    public int Epoch { get; set; }

    public StreamSequenceToken SequenceToken => Token;

    /// <summary>The same slab for a consumer that has everything below an offset.</summary>
    public SlabContainer Above(long least) => new(StreamId, Slab, Provider, _items, least) { Epoch = Epoch };

    /// <summary>The slab itself, untrimmed, or the items in it.</summary>
    public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>()
    {
        if (Slab is T slab)
        {
            return [Tuple.Create(slab, SequenceToken)];
        }

        return _items is null
            ? throw new InvalidOperationException($"stream provider '{Provider}' has no items of type {typeof(T)}, only slabs")
            : _items.Read<T>(Slab, Least).Select(item => Tuple.Create<T, StreamSequenceToken>(item.Item, item.Token));
    }

    public bool ImportRequestContext() => false;

    public override string ToString() => $"partition {Slab.Partition} {Token}";

    void IOnDeserialized.OnDeserialized(DeserializationContext context) =>
        _items = context.ServiceProvider.GetKeyedService<IItemReader>(Provider);
}
