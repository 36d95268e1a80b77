using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace ClickAggregator.Streaming.Tests.Clusters;

public interface IConsumerGrain : IGrainWithIntegerKey
{
    Task DeactivateAsync();

    /// <summary>Where the grain lives.</summary>
    Task<string> TouchAsync();
}

/// <summary>A consumer as the product's is: it compares offsets, trims, reads gaps from the log, holds leases.</summary>
[ImplicitStreamSubscription("clicks")]
internal sealed class ConsumerGrain(IPartitionLog log, Consumption consumption, ILocalSiloDetails silo)
    : Grain, IConsumerGrain, IStreamSubscriptionObserver, IAsyncObserver<Slab>
{
    private long _next;

    private int Partition => (int)this.GetPrimaryKeyLong();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _next = consumption.Next(Partition);
        return Task.CompletedTask;
    }

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<Slab>().ResumeAsync(this, PartitionSequenceToken.After(_next));

    public async Task OnNextAsync(Slab item, StreamSequenceToken? token = null)
    {
        bool held = item.TryAcquire();
        try
        {
            var delivery = new Delivery(item.Partition, item.From, item.To, item.Count, held, silo.SiloAddress);
            consumption.Note(delivery);
            await consumption.BeforeSlab(delivery);
            if (item.From > _next)
            {
                consumption.Gaps.Enqueue((Partition, _next, item.From));
                await ReadFromLogAsync(item.From);
            }

            if (held)
            {
                Process(item, item.To);
            }
            else
            {
                await ReadFromLogAsync(item.To);
            }
        }
        finally
        {
            if (held)
            {
                item.Release();
            }
        }
    }

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

    public Task DeactivateAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task<string> TouchAsync() => Task.FromResult(silo.SiloAddress.ToString());

    private async Task ReadFromLogAsync(long to)
    {
        if (to <= _next)
        {
            return;
        }

        LogRange range = await log.GetRangeAsync(Partition, CancellationToken.None);
        _next = Math.Max(_next, range.Start);
        await foreach (Slab slab in log.ReadAsync(Partition, _next, to, CancellationToken.None))
        {
            Process(slab, to);
            slab.Release();
        }
    }

    private void Process(Slab slab, long to)
    {
        foreach (ref readonly SlabRecord record in slab.Records)
        {
            if (record.Offset >= _next && record.Offset < to)
            {
                consumption.Note(Partition, record.Offset);
            }
        }

        _next = Math.Max(_next, Math.Min(to, slab.To));
        consumption.Store(Partition, _next);
    }
}
