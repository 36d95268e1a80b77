namespace ClickAggregator.Streaming;

/// <summary>
/// Where the reading of a partition starts when an agent takes it over: where its consumer's durable progress stands.
/// Asked again after each failure to open the partition, so it may throw while its store is away.
/// </summary>
public interface IReaderStart
{
    /// <summary>The first offset that is not processed yet.</summary>
    ValueTask<long> GetStartAsync(int partition, CancellationToken cancellationToken);
}
