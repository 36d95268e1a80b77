using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What <see cref="RollupHistoryGrain"/> keeps: of each partition, by rollup, the hour from which on it is whole; null from the beginning.</summary>
public sealed class RollupHistory
{
    public Dictionary<int, Dictionary<string, int?>> Partitions { get; set; } = [];
}

internal sealed class RollupHistoryGrain(
    [PersistentState("rollups", StorageNames.State)] IPersistentState<RollupHistory> state, TimeProvider time) : Grain, IRollupHistoryGrain
{
    // A click's time may be so far ahead of the moment at which it is taken.
    private static readonly TimeSpan s_ahead = TimeSpan.FromMinutes(5);

    public Task NoteAsync(int partition, IReadOnlyList<string> rollups)
    {
        if (!state.State.Partitions.TryGetValue(partition, out Dictionary<string, int?>? known))
        {
            // Nothing was counted before, or by a build that did not note it: then by what it counts by now, as far as anybody knows.
            return WriteAsync(() => state.State.Partitions[partition] = rollups.ToDictionary(rollup => rollup, _ => (int?)null));
        }

        // The first hour of which no click was counted without it. One that was switched off in between begins anew.
        int whole = (int)((time.GetUtcNow() + s_ahead).ToUnixTimeSeconds() / 3600) + 1;
        return known.Count == rollups.Count && rollups.All(known.ContainsKey)
            ? Task.CompletedTask
            : WriteAsync(() => state.State.Partitions[partition] =
                rollups.ToDictionary(rollup => rollup, rollup => known.TryGetValue(rollup, out int? start) ? start : whole));
    }

    public Task<IReadOnlyDictionary<string, int>> GetStartsAsync() => Task.FromResult<IReadOnlyDictionary<string, int>>(
        state.State.Partitions.Values.SelectMany(rollups => rollups).Where(rollup => rollup.Value is not null)
            .GroupBy(rollup => rollup.Key).ToDictionary(rollup => rollup.Key, rollup => rollup.Max(each => each.Value!.Value)));

    public Task NoteRebuiltAsync(string rollup, int fromHour) => WriteAsync(() =>
    {
        foreach (Dictionary<string, int?> rollups in state.State.Partitions.Values)
        {
            if (rollups.TryGetValue(rollup, out int? start) && start > fromHour)
            {
                rollups[rollup] = fromHour;
            }
        }
    });

    private async Task WriteAsync(Action change)
    {
        change();
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            // The memory may differ from the store now: the next call reads again.
            DeactivateOnIdle();
            throw;
        }
    }
}
