namespace ClickAggregator.Streaming;

/// <summary>
/// Turns the records of a provider into items, for consumers that ask for something else than <see cref="Slab"/>s.
/// Registered under the provider's name, on each silo that has consumers; without one there are only slabs.
/// </summary>
public interface IItemReader
{
    /// <summary>
    /// The items of a slab, in order, each with its record's token. Reads lazily and holds a lease on the slab from the
    /// first item to the end of the enumeration.
    /// </summary>
    /// <typeparam name="T">What the consumer asks for.</typeparam>
    /// <param name="slab">The records.</param>
    /// <param name="from">The least offset: what lies below is left out.</param>
    /// <exception cref="InvalidOperationException">The slab's buffers are gone, or the provider has no such items.</exception>
    IEnumerable<(T Item, PartitionSequenceToken Token)> Read<T>(Slab slab, long from);
}
