using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Kafka.Producing;

/// <summary>A stream as a client has it: to produce.</summary>
internal sealed class ProducedStream<T>(string provider, StreamId streamId, IItemWriter writer) : IAsyncStream<T>
{
    public bool IsRewindable => true;

    public string ProviderName => provider;

    public StreamId StreamId => streamId;

    public Task OnNextAsync(T item, StreamSequenceToken? token = null) => OnNextBatchAsync([item], token);

    public Task OnNextBatchAsync(IEnumerable<T> batch, StreamSequenceToken? token = null) => token is null
        ? writer.WriteAsync(streamId, batch)
        : throw new ArgumentException("a producer gives no token: the log says where an item stands", nameof(token));

    public Task OnCompletedAsync() => throw new NotSupportedException("a topic has no end");

    public Task OnErrorAsync(Exception ex) => throw new NotSupportedException("a topic has no errors in it");

    public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncObserver<T> observer) => throw NoConsumer();

    public Task<StreamSubscriptionHandle<T>> SubscribeAsync(
        IAsyncObserver<T> observer, StreamSequenceToken? token, string? filterData = null) => throw NoConsumer();

    public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncBatchObserver<T> observer) => throw NoConsumer();

    public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncBatchObserver<T> observer, StreamSequenceToken? token) =>
        throw NoConsumer();

    public Task<IList<StreamSubscriptionHandle<T>>> GetAllSubscriptionHandles() => throw NoConsumer();

    public bool Equals(IAsyncStream<T>? other) =>
        other is not null && other.ProviderName == provider && other.StreamId.Equals(streamId);

    public int CompareTo(IAsyncStream<T>? other) => other is null ? 1 : streamId.CompareTo(other.StreamId);

    public override bool Equals(object? obj) => Equals(obj as IAsyncStream<T>);

    public override int GetHashCode() => HashCode.Combine(provider, streamId);

    public override string ToString() => $"{provider}/{streamId}";

    private NotSupportedException NoConsumer() => new(
        $"a client produces to stream provider '{provider}' and does not consume: its consumers are grains with [ImplicitStreamSubscription(\"{streamId.GetNamespace()}\")]");
}
