using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

public interface IOrderConsumer : IGrainWithIntegerKey
{
    Task DeactivateAsync();
}

/// <summary>
/// A consumer of items as it should be: it trims by offset, reads what it was not given from the log, and moves its progress
/// by compare-and-set.
/// </summary>
internal abstract class ItemConsumer<T>(string streamNamespace, Consumption consumption)
    : Grain, IStreamSubscriptionObserver, IAsyncObserver<T>
    where T : notnull
{
    private string _provider = "";
    private long? _next;

    private int Partition => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _next = consumption.Next(streamNamespace, Partition);
        return Task.CompletedTask;
    }

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory)
    {
        _provider = handleFactory.ProviderName;
        return handleFactory.Create<T>().ResumeAsync(this, _next is { } next ? PartitionSequenceToken.After(next) : null);
    }

    public async Task OnNextAsync(T item, StreamSequenceToken? token = null)
    {
        var at = (PartitionSequenceToken)token!;
        var seen = new Seen(at.Offset!.Value, item);
        consumption.NoteDelivered(streamNamespace, Partition, seen);
        await consumption.BeforeItem(seen);
        if (at.From > _next)
        {
            consumption.NoteGap(streamNamespace, Partition, _next.Value, at.From);
            await ReadAsync(at.From);
        }

        Process(item, at);
    }

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

    public Task DeactivateAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private async Task ReadAsync(long to)
    {
        var log = ServiceProvider.GetRequiredKeyedService<IPartitionLog>(_provider);
        var items = ServiceProvider.GetRequiredKeyedService<IItemReader>(_provider);
        await foreach (Slab slab in log.ReadAsync(Partition, _next!.Value, to, CancellationToken.None))
        {
            foreach ((T item, PartitionSequenceToken token) in items.Read<T>(slab, _next.Value))
            {
                Process(item, token);
            }

            slab.Release();
        }

        Advance(to, null);
    }

    private void Process(T item, PartitionSequenceToken at)
    {
        if (_next is null || at.Offset >= _next)
        {
            Advance(at.To, new Seen(at.Offset!.Value, item));
        }
    }

    private void Advance(long to, Seen? seen)
    {
        if (!consumption.TryAdvance(streamNamespace, Partition, _next, to, seen))
        {
            DeactivateOnIdle();
            throw new InvalidOperationException($"another consumer has gone on with partition {Partition}");
        }

        _next = to;
    }
}

[ImplicitStreamSubscription("orders")]
internal sealed class OrderConsumer(Consumption consumption) : ItemConsumer<Order>("orders", consumption), IOrderConsumer;

[ImplicitStreamSubscription("messages")]
internal sealed class MessageConsumer(Consumption consumption) : ItemConsumer<KafkaMessage>("messages", consumption), IMessageConsumer;

[ImplicitStreamSubscription("bytes")]
internal sealed class BytesConsumer(Consumption consumption) : ItemConsumer<byte[]>("bytes", consumption), IBytesConsumer;

public interface IMessageConsumer : IGrainWithIntegerKey;

public interface IBytesConsumer : IGrainWithIntegerKey;
