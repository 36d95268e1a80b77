namespace ClickAggregator.Streaming.Kafka.Reading;

/// <summary>
/// Follows one partition. A look at an idle partition asks nobody: it costs a look into a queue, which is filled by
/// fetches that the brokers hold until something arrives.
/// </summary>
internal sealed class KafkaPartitionReader(PartitionFeed feed, KafkaPartitionLog log) : IPartitionReader
{
    public long Position => feed.Position;

    public ValueTask<Slab?> ReadAsync(int maxBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return new(feed.Take(maxBytes, long.MaxValue));
        }
        catch (FeedOutOfRangeException fault)
        {
            return OutOfRangeAsync(fault, cancellationToken);
        }
    }

    /// <summary>On another thread: it waits for librdkafka.</summary>
    public async ValueTask DisposeAsync() => await Task.Run(feed.Dispose);

    private async ValueTask<Slab?> OutOfRangeAsync(FeedOutOfRangeException fault, CancellationToken cancellationToken) =>
        throw await log.OutOfRangeAsync(feed.Partition, Position, Position, fault, cancellationToken);
}
