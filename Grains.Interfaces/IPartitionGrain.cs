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
    /// <returns>The log that was left for it; null for none.</returns>
    [Alias("Adopt")]
    Task<AbandonedLog?> AdoptAsync(string logId, bool giveUpPending);

    /// <summary>How far a log was counted that another one takes the place of.</summary>
    [Alias("GetClosing")]
    Task<LogClosing> GetClosingAsync(string logId);

    /// <summary>
    /// Waits for the batch that is under way, and answers below which offset every click is then counted; null where the partition does
    /// not count that chain now. What was stored before the question and says that it has clicks from there on, no batch has written.
    /// </summary>
    /// <param name="chain">The chain's number.</param>
    [Alias("CountedTo")]
    [AlwaysInterleave]
    [ResponseTimeout("00:05:00")]
    Task<long?> CountedToAsync(int chain);

    /// <summary>
    /// Puts recounted windows of this partition's chain in place, between two batches; they are stored when it answers. The outcomes
    /// are in the order of what was asked; null where the partition does not count that chain now: ask again later.
    /// </summary>
    /// <param name="chain">The chain's number.</param>
    /// <param name="corrections">At most 1,000.</param>
    [Alias("Correct")]
    Task<IReadOnlyList<WindowOutcome>?> CorrectAsync(int chain, IReadOnlyList<WindowRecount> corrections);

    /// <summary>
    /// Takes no corrections of a lower order any more, also of those that are under way to it: what they left is decided then. False
    /// where the partition does not count that chain now.
    /// </summary>
    /// <param name="chain">The chain's number.</param>
    /// <param name="order">The order of the corrections that are taken from now on.</param>
    [Alias("Fence")]
    Task<bool> FenceAsync(int chain, long order);
}

/// <summary>One window's recount.</summary>
/// <param name="Series">The window's series.</param>
/// <param name="Hour">Its hour, since the epoch.</param>
/// <param name="Run">The name of the run's correction: a window that carries it is acknowledged.</param>
/// <param name="Upto">Every click below this offset is in the counts; at most what the partition has counted.</param>
/// <param name="Minutes">60 counts, or null where minutes are not kept any more.</param>
/// <param name="Quarters">4 counts.</param>
/// <param name="Order">Grows from one try of a run to the next, and from run to run: see <see cref="IPartitionGrain.FenceAsync"/>.</param>
/// <param name="MarksHour">The store does not know that the hour has clicks: its mark is put back.</param>
/// <param name="HourFloor">
/// The floor that the top list of the target's kind and hour should have where it is higher: all who have more clicks are listed. It is left
/// as it is where clicks beyond <paramref name="Upto"/> may have touched the hour. Null for none.
/// </param>
/// <param name="DayFloor">The same of the day's list.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.WindowRecount")]
public sealed record WindowRecount(
    [property: Id(0)] string Series,
    [property: Id(1)] int Hour,
    [property: Id(2)] string Run,
    [property: Id(3)] long Upto,
    [property: Id(4)] long[]? Minutes,
    [property: Id(5)] long[] Quarters,
    [property: Id(6)] long Order = 0,
    [property: Id(7)] bool MarksHour = false,
    [property: Id(8)] long? HourFloor = null,
    [property: Id(9)] long? DayFloor = null);

/// <summary>How far a log was counted that another one takes the place of.</summary>
/// <param name="IsPending">It is still counted: ask again.</param>
/// <param name="At">The offset below which it was counted; null where it never was.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LogClosing")]
public readonly record struct LogClosing([property: Id(0)] bool IsPending, [property: Id(1)] long? At);

/// <summary>A log that was left for another before it was counted to its end.</summary>
/// <param name="Log">Its id.</param>
/// <param name="CountedTo">Everything below this offset was counted, or given up; nothing from there on.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.AbandonedLog")]
public sealed record AbandonedLog([property: Id(0)] string Log, [property: Id(1)] long CountedTo);
