using Orleans.Concurrency;

namespace ClickAggregator.Grains;

/// <summary>Since when each rollup is added up; there is one, with key 0.</summary>
[Alias("ClickAggregator.IRollupHistoryGrain")]
public interface IRollupHistoryGrain : IGrainWithIntegerKey
{
    /// <summary>A partition begins to count by these rollups; those it counted by before go on.</summary>
    [Alias("Note")]
    Task NoteAsync(int partition, IReadOnlyList<string> rollups);

    /// <summary>Rollups that were switched on later, and the hour (since the epoch) from which on they are whole; all others always were.</summary>
    [Alias("GetStarts")]
    [AlwaysInterleave]
    Task<IReadOnlyDictionary<string, int>> GetStartsAsync();

    /// <summary>The history of a rollup was made up for, from an hour on.</summary>
    [Alias("NoteRebuilt")]
    Task NoteRebuiltAsync(string rollup, int fromHour);
}
