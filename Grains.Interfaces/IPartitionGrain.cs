using Orleans.Concurrency;

namespace ClickAggregator.Grains;

/// <summary>Counts one partition; its key is the partition's number.</summary>
[Alias("ClickAggregator.IPartitionGrain")]
public interface IPartitionGrain : IGrainWithIntegerKey
{
    /// <summary>Wakes it up: it replays what is pending and reads to the log's end by itself.</summary>
    [Alias("Touch")]
    Task TouchAsync();

    /// <summary>How far it is. Answered at once, also while it folds a batch; asking wakes it up.</summary>
    [Alias("GetProgress")]
    [AlwaysInterleave]
    Task<PartitionProgress> GetProgressAsync();

    /// <summary>Takes up a log that is not the one counted so far; a batch that is half counted is given up, or refuses it.</summary>
    [Alias("Adopt")]
    Task AdoptAsync(string logId, bool giveUpPending);

    /// <summary>How far a log was counted that another one takes the place of.</summary>
    [Alias("GetClosing")]
    Task<LogClosing> GetClosingAsync(string logId);
}

/// <summary>How far a log was counted that another one takes the place of.</summary>
/// <param name="IsPending">It is still counted: ask again.</param>
/// <param name="At">The offset below which it was counted; null where it never was.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LogClosing")]
public readonly record struct LogClosing([property: Id(0)] bool IsPending, [property: Id(1)] long? At);
