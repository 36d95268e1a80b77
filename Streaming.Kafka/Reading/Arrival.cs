using System.Runtime.InteropServices;
using ClickAggregator.Streaming.Kafka.Native;

namespace ClickAggregator.Streaming.Kafka.Reading;

/// <summary>Turns librdkafka's callback at the first message of an empty queue into a task.</summary>
internal sealed unsafe class Arrival : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);
    private GCHandle _self;

    public void Watch(QueueHandle queue)
    {
        _self = GCHandle.Alloc(this);
        LibRdKafka.QueueSetCallback(queue, &OnArrival, GCHandle.ToIntPtr(_self));
    }

    public static void Unwatch(QueueHandle queue) => LibRdKafka.QueueSetCallback(queue, null, 0);

    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => _signal.WaitAsync(atMost, cancellationToken);

    public void Dispose()
    {
        if (_self.IsAllocated)
        {
            _self.Free();
        }

        _signal.Dispose();
    }

    // On a thread of librdkafka and under the queue's lock: waking somebody must not run what he does then.
    [UnmanagedCallersOnly]
    private static void OnArrival(nint client, nint opaque) =>
        ThreadPool.UnsafeQueueUserWorkItem(static arrival => arrival.Signal(), (Arrival)GCHandle.FromIntPtr(opaque).Target!, preferLocal: false);

    private void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (Exception fault) when (fault is SemaphoreFullException or ObjectDisposedException)
        {
            // Signalled already, or nobody waits any more.
        }
    }
}
