using Orleans.Runtime;
using Orleans.Streams;

namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

public interface IProducerGrain : IGrainWithIntegerKey
{
    Task ProduceAsync(string provider, StreamId stream, Order[] orders);

    Task ProduceAsync(string provider, StreamId stream, byte[][] items);

    Task ProduceAsync(string provider, StreamId stream, KafkaMessage[] messages);

    Task SubscribeAsync(string provider, StreamId stream);
}

internal sealed class ProducerGrain : Grain, IProducerGrain, IAsyncObserver<Order>
{
    public Task ProduceAsync(string provider, StreamId stream, Order[] orders) => ProduceAsync<Order>(provider, stream, orders);

    public Task ProduceAsync(string provider, StreamId stream, byte[][] items) => ProduceAsync<byte[]>(provider, stream, items);

    public Task ProduceAsync(string provider, StreamId stream, KafkaMessage[] messages) => ProduceAsync<KafkaMessage>(provider, stream, messages);

    public Task SubscribeAsync(string provider, StreamId stream) =>
        this.GetStreamProvider(provider).GetStream<Order>(stream).SubscribeAsync(this);

    public Task OnNextAsync(Order item, StreamSequenceToken? token = null) => Task.CompletedTask;

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

    private Task ProduceAsync<T>(string provider, StreamId stream, T[] items)
    {
        IAsyncStream<T> target = this.GetStreamProvider(provider).GetStream<T>(stream);
        return items.Length == 1 ? target.OnNextAsync(items[0]) : target.OnNextBatchAsync(items);
    }
}
