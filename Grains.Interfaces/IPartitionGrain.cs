namespace ClickAggregator.Grains;

/// <summary>Counts one partition; its key is the partition's number.</summary>
[Alias("ClickAggregator.IPartitionGrain")]
public interface IPartitionGrain : IGrainWithIntegerKey
{
    /// <summary>Wakes it up: it replays what is pending and reads to the log's end by itself.</summary>
    [Alias("Touch")]
    Task TouchAsync();

    /// <summary>Takes up a log that is not the one counted so far.</summary>
    [Alias("Adopt")]
    Task AdoptAsync(string logId);
}
