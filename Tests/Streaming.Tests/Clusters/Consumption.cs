using System.Collections.Concurrent;
using Orleans.Runtime;

namespace ClickAggregator.Streaming.Tests.Clusters;

/// <summary>What the consumer grains of a test saw and how they are to behave; one instance for all silos of a cluster.</summary>
internal sealed class Consumption : IReaderStart
{
    private readonly ConcurrentDictionary<int, long> _next = new();

    /// <summary>Every slab that was handed to a consumer, in order, per partition.</summary>
    public ConcurrentDictionary<int, ConcurrentQueue<Delivery>> Deliveries { get; } = new();

    /// <summary>The offsets of the records that were processed, trimmed, in order, per partition.</summary>
    public ConcurrentDictionary<int, ConcurrentQueue<long>> Processed { get; } = new();

    /// <summary>The ranges that the consumers found missing and read from the log.</summary>
    public ConcurrentQueue<(int Partition, long From, long To)> Gaps { get; } = new();

    /// <summary>Called before a slab is processed.</summary>
    public Func<Delivery, Task> BeforeSlab { get; set; } = _ => Task.CompletedTask;

    /// <summary>The consumers' durable progress.</summary>
    public long Next(int partition) => _next.GetValueOrDefault(partition);

    public void Store(int partition, long next) => _next[partition] = next;

    public ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken) => new(Next(partition));

    public void Note(Delivery delivery) =>
        Deliveries.GetOrAdd(delivery.Partition, _ => new()).Enqueue(delivery);

    public void Note(int partition, long offset) => Processed.GetOrAdd(partition, _ => new()).Enqueue(offset);

    public long[] Offsets(int partition) => Processed.TryGetValue(partition, out var offsets) ? [.. offsets] : [];

    public Delivery[] Of(int partition) => Deliveries.TryGetValue(partition, out var all) ? [.. all] : [];
}

internal sealed record Delivery(int Partition, long From, long To, int Count, bool Held, SiloAddress Silo);
