using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Kafka.Producing;

/// <summary>
/// The stream provider of a client, which only produces. Orleans' own would accept a subscription's call and answer it with
/// the advice to configure explicit subscriptions, which this provider does not have.
/// </summary>
internal sealed class ProducingProvider(string name, IItemWriter writer) : IStreamProvider
{
    public string Name => name;

    public bool IsRewindable => true;

    public IAsyncStream<T> GetStream<T>(StreamId streamId) => new ProducedStream<T>(name, streamId, writer);
}
