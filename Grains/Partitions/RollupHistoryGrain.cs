using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What <see cref="RollupHistoryGrain"/> keeps.</summary>
public sealed class RollupHistory
{
    /// <summary>Of each partition, by rollup, the hour from which on it is whole; null from the beginning.</summary>
    public Dictionary<int, Dictionary<string, int?>> Partitions { get; set; } = [];

    /// <summary>Which log each partition counts.</summary>
    public Dictionary<int, string> Logs { get; set; } = [];

    /// <summary>The log that was noted last: partitions of another one are gone.</summary>
    public string? Log { get; set; }

    /// <summary>What was made up for, by rollup.</summary>
    public Dictionary<string, RebuiltRollup> Rebuilt { get; set; } = [];
}

/// <summary>What was made up for of a rollup.</summary>
public sealed class RebuiltRollup
{
    /// <summary>How often a partition switched it on or off.</summary>
    public long Switches { get; set; }

    /// <summary>Ascending, with gaps between them; at most <see cref="RollupHistoryGrain.MostRanges"/>.</summary>
    public List<HourRange> Ranges { get; set; } = [];

    /// <summary>Version of the ledger when the last of them was.</summary>
    public long Version { get; set; }
}

internal sealed class RollupHistoryGrain(
    [PersistentState("rollups", StorageNames.State)] IPersistentState<RollupHistory> state, TimeProvider time) : Grain, IRollupHistoryGrain
{
    /// <summary>More than hours that an archive has lost one by one; of even more the earliest are forgotten, and not answered.</summary>
    public const int MostRanges = 1000;

    // A click's time may be so far ahead of the moment at which it is taken.
    private static readonly TimeSpan s_ahead = TimeSpan.FromMinutes(5);

    /// <summary>The first hour of which no click was counted without what is switched on now.</summary>
    private int Whole => (int)((time.GetUtcNow() + s_ahead).ToUnixTimeSeconds() / 3600) + 1;

    public Task NoteAsync(int partition, string log, IReadOnlyList<string> rollups)
    {
        RollupHistory history = state.State;
        Dictionary<string, int?>? known = history.Partitions.GetValueOrDefault(partition);
        if (known?.Count == rollups.Count && rollups.All(known.ContainsKey) && history.Logs.GetValueOrDefault(partition) == log && history.Log == log)
        {
            return Task.CompletedTask;
        }

        return WriteAsync(() =>
        {
            // Where nothing is known nothing was counted before, or by a build that did not note it: then by what it counts by
            // now, as far as anybody knows. One that was switched off in between begins anew.
            int? begin = known is null ? null : Whole;
            history.Partitions[partition] = rollups.ToDictionary(rollup => rollup, rollup => known is not null && known.TryGetValue(rollup, out int? start) ? start : begin);
            history.Logs[partition] = log;
            history.Log = log;
            foreach (string switched in known is null ? [] : known.Keys.Except(rollups).Concat(rollups.Except(known.Keys)).ToArray())
            {
                history.Rebuilt[switched] = new RebuiltRollup { Switches = (history.Rebuilt.GetValueOrDefault(switched)?.Switches ?? 0) + 1 };
            }
        });
    }

    public Task<IReadOnlyDictionary<string, RollupStart>> GetStartsAsync()
    {
        RollupHistory history = state.State;
        return Task.FromResult<IReadOnlyDictionary<string, RollupStart>>(
            history.Partitions.Values.SelectMany(rollups => rollups.Keys).Distinct().ToDictionary(rollup => rollup, StartOf));

        RollupStart StartOf(string rollup)
        {
            int? lacking = history.Partitions.Where(partition => !partition.Value.ContainsKey(rollup) && IsCounted(partition.Key))
                .Select(partition => (int?)partition.Key).Min();
            int start = history.Partitions.Values.Max(rollups => rollups.GetValueOrDefault(rollup) ?? int.MinValue);
            RebuiltRollup rebuilt = history.Rebuilt.GetValueOrDefault(rollup) ?? new RebuiltRollup();
            return lacking is null
                ? new RollupStart(start, null, rebuilt.Switches, [.. rebuilt.Ranges], rebuilt.Version)
                : new RollupStart(Math.Max(start, Whole), lacking, rebuilt.Switches, [], 0);
        }

        bool IsCounted(int partition) => history.Logs.GetValueOrDefault(partition) == history.Log;
    }

    public async Task<bool> NoteRebuiltAsync(string rollup, long switches, IReadOnlyList<HourRange> hours, long version)
    {
        RebuiltRollup before = state.State.Rebuilt.GetValueOrDefault(rollup) ?? new RebuiltRollup();
        if (before.Switches != switches)
        {
            return false;
        }

        List<HourRange> ranges = HourRanges.Joined(before.Ranges.Concat(hours));
        ranges.RemoveRange(0, Math.Max(0, ranges.Count - MostRanges));
        if (!ranges.SequenceEqual(before.Ranges))
        {
            await WriteAsync(() => state.State.Rebuilt[rollup] = new RebuiltRollup { Switches = switches, Ranges = ranges, Version = version });
        }

        return true;
    }

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
