using Orleans.Runtime;

namespace ClickAggregator.Streaming;

/// <summary>
/// Appends items to the log of a provider. Registered under the provider's name; without one the provider only reads.
/// </summary>
public interface IItemWriter
{
    /// <summary>
    /// Appends the items in their order, and ends when the log has them for good. Where it throws, any of them may be in
    /// the log all the same.
    /// </summary>
    /// <typeparam name="T">What the producer calls an item.</typeparam>
    /// <param name="stream">The stream that the producer named.</param>
    /// <param name="items">At least none.</param>
    Task WriteAsync<T>(StreamId stream, IEnumerable<T> items);
}
