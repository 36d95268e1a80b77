using Orleans.Streams;
using Orleans.Streams.Core;

namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

public interface ISlabConsumer : IGrainWithIntegerKey;

/// <summary>The fast way: it looks at the records where they lie.</summary>
[ImplicitStreamSubscription("slabs")]
internal sealed class SlabConsumer(Consumption consumption) : Grain, ISlabConsumer, IStreamSubscriptionObserver, IAsyncObserver<Slab>
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<Slab>().ResumeAsync(this);

    public Task OnNextAsync(Slab item, StreamSequenceToken? token = null)
    {
        Assert.True(item.TryAcquire());
        foreach (ref readonly SlabRecord record in item.Records)
        {
            consumption.NoteDelivered("slabs", item.Partition, new Seen(record.Offset, item.Value(record).ToArray()));
        }

        item.Release();
        return Task.CompletedTask;
    }

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;
}
