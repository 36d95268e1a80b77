using System.Collections.Concurrent;
using ClickAggregator.Streaming.Kafka.Tests.Servers;

namespace ClickAggregator.Streaming.Kafka.Tests.Clusters;

/// <summary>
/// Producers, one a partition, that send numbered orders until they are told to end, each batch again until it is
/// acknowledged.
/// </summary>
internal sealed class Load : IDisposable
{
    private readonly KafkaCluster _cluster;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<int, int> _acknowledged = new();
    private readonly Task[] _producers;
    private int _failures;

    public Load(KafkaCluster cluster, int partitions, int batch = 10)
    {
        _cluster = cluster;
        _producers = [.. Enumerable.Range(0, partitions).Select(partition => Task.Run(() => ProduceAsync(partition, batch)))];
    }

    /// <summary>How many batches had to be sent again.</summary>
    public int Failures => Volatile.Read(ref _failures);

    public int Acknowledged => _acknowledged.Values.Sum();

    /// <summary>
    /// Ends the load and checks, for each partition: every record of the log was delivered, and was processed exactly once, in
    /// order; every order that was acknowledged is among them, and they follow each other as they were sent.
    /// </summary>
    public async Task EndAndVerifyAsync(TestTopic topic)
    {
        await _end.CancelAsync();
        await Task.WhenAll(_producers);
        await using KafkaPartitionLog log = topic.Open();
        for (int partition = 0; partition < _producers.Length; partition++)
        {
            long end = (await log.GetRangeAsync(partition, CancellationToken.None)).End;
            await _cluster.CaughtUpAsync("orders", partition, end);
            Seen[] processed = _cluster.Consumption.Processed("orders", partition);
            Assert.Equal(await OffsetsAsync(log, partition, end), processed.Select(seen => seen.Offset));
            int[] firsts = [.. processed.Select(seen => ((Order)seen.Item).Number).Distinct()];
            Assert.Equal(Enumerable.Range(0, firsts.Length), firsts);
            Assert.True(firsts.Length >= _acknowledged.GetValueOrDefault(partition));
        }
    }

    public void Dispose() => _end.Dispose();

    private static async Task<IEnumerable<long>> OffsetsAsync(KafkaPartitionLog log, int partition, long end) =>
        (await log.SlabsAsync(0, end, partition)).SelectMany(slab => slab.Offsets);

    private async Task ProduceAsync(int partition, int batch)
    {
        for (int number = 0; !_end.IsCancellationRequested; number += batch)
        {
            Order[] orders = [.. Enumerable.Range(number, batch).Select(n => new Order(n, $"order {n} of {partition}"))];
            for (bool sent = false; !sent;)
            {
                try
                {
                    await _cluster.Stream<Order>("orders", partition).OnNextBatchAsync(orders);
                    _acknowledged[partition] = number + batch;
                    sent = true;
                }
                catch (KafkaProduceException fault) when (fault.IsTransient)
                {
                    Interlocked.Increment(ref _failures);
                }
            }

            // A load, not a flood.
            await Task.Delay(20);
        }
    }
}
