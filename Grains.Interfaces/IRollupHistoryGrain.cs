using Orleans.Concurrency;

namespace ClickAggregator.Grains;

/// <summary>Since when each rollup is added up, and what of the time before was made up for; there is one, with key 0.</summary>
[Alias("ClickAggregator.IRollupHistoryGrain")]
public interface IRollupHistoryGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// A partition begins to count a log by these rollups; those it counted by before go on. One that is switched on, again or for
    /// the first time, begins anew, and what was made up for of it before counts no more.
    /// </summary>
    [Alias("Note")]
    Task NoteAsync(int partition, string log, IReadOnlyList<string> rollups);

    /// <summary>Every rollup that some partition counts by; none before the first partition was noted.</summary>
    [Alias("GetStarts")]
    [AlwaysInterleave]
    Task<IReadOnlyDictionary<string, RollupStart>> GetStartsAsync();

    /// <summary>Hours of a rollup were made up for. A repeat changes nothing.</summary>
    /// <param name="rollup">The rollup.</param>
    /// <param name="switches">Its <see cref="RollupStart.Switches"/> before the hours were recounted.</param>
    /// <param name="hours">The hours, since the epoch, in which every click of every partition is in the rollup now.</param>
    /// <param name="version">Of the ledger, now.</param>
    /// <returns>False where it was switched off or on meanwhile: then nothing is noted.</returns>
    [Alias("NoteRebuilt")]
    Task<bool> NoteRebuiltAsync(string rollup, long switches, IReadOnlyList<HourRange> hours, long version);
}

/// <summary>Hours since the epoch.</summary>
/// <param name="From">The first; <see cref="int.MinValue"/> for the beginning of time.</param>
/// <param name="To">The one after the last.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.HourRange")]
public readonly record struct HourRange([property: Id(0)] int From, [property: Id(1)] int To);

/// <summary>Since when a rollup is whole.</summary>
/// <param name="Hour">From this hour (since the epoch) on every partition counts by it; <see cref="int.MinValue"/> where they always did.</param>
/// <param name="Lacking">A partition that does not count by it now; null for none. Then <paramref name="Hour"/> is one to come.</param>
/// <param name="Switches">Grows whenever a partition switches it on or off.</param>
/// <param name="Rebuilt">Hours before <paramref name="Hour"/> that were made up for: ascending, with gaps between them.</param>
/// <param name="RebuiltAt">Version of the ledger when the last of them was: no version before tells numbers of them.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RollupStart")]
public sealed record RollupStart(
    [property: Id(0)] int Hour,
    [property: Id(1)] int? Lacking,
    [property: Id(2)] long Switches,
    [property: Id(3)] IReadOnlyList<HourRange> Rebuilt,
    [property: Id(4)] long RebuiltAt)
{
    /// <summary>It is whole from this hour on, what was made up for included; <see cref="int.MinValue"/> from the beginning.</summary>
    public int WholeFrom => Rebuilt.Count > 0 && Rebuilt[^1].To >= Hour ? Rebuilt[^1].From : Hour;

    /// <summary>Whether it is whole in every hour of a range.</summary>
    public bool Covers(int fromHour, int toHour) =>
        fromHour >= WholeFrom || Rebuilt.Any(range => range.From <= fromHour && toHour <= range.To);
}
