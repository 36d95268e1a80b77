using System.Globalization;
using Orleans.Concurrency;

namespace ClickAggregator.Grains;

/// <summary>Recounts one hour of one chain for a run of reconciliation; its key is <c>chain@hour</c>.</summary>
[Alias("ClickAggregator.IRecountGrain")]
public interface IRecountGrain : IGrainWithStringKey
{
    /// <summary>
    /// Recounts, compares and corrects. A repeat does what is left to do. It may take as long as reading the hour's clicks takes.
    /// </summary>
    [Alias("Recount")]
    [ResponseTimeout("12:00:00")]
    Task<RecountResult> RecountAsync(RecountRequest request, CancellationToken cancellationToken);
}

/// <summary>What is to be recounted.</summary>
/// <param name="Run">The run's number.</param>
/// <param name="Hour">Hours since the epoch.</param>
/// <param name="Chain">The chain's number.</param>
/// <param name="DryRun">Reports and changes nothing.</param>
/// <param name="Passed">The hour was called final, as one without clicks, unless it says otherwise.</param>
/// <param name="Events">The last invalidation, or end of one, that counts.</param>
/// <param name="Invalidations">Those that touch the hour, ended ones, too.</param>
/// <param name="Attempt">From 1; no two tries of a run's hour have the same, and later ones a higher one. Below 1,000,000.</param>
/// <param name="Candidate">What a dry run asks: what would this one change; null for nothing.</param>
/// <param name="Mode">How the expected counts are made.</param>
/// <param name="NotWhole">Rollups that were switched on after clicks of the hour were counted: what they lack was not missed.</param>
/// <param name="Rebuild">The one of these that the run is for: the hour is done only where it can be made whole; null for none.</param>
/// <param name="Damage">What is wrong with the manifest of the chain: nothing is lowered on its account; null for nothing.</param>
/// <param name="Astray">Rows of the hour that stand in other days: they are named and taken away; null for none.</param>
/// <param name="Version">The ledger's last version when it was asked for.</param>
/// <param name="Unnamed">Series whose windows of the hour had no name in the index until the search gave them one: that is named; null for none.</param>
/// <param name="FromHour">The first hour of the run, of which a dry one tells what is wrong with a day once; null where it is told in each hour.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RecountRequest")]
public sealed record RecountRequest(
    [property: Id(0)] long Run,
    [property: Id(1)] int Hour,
    [property: Id(2)] int Chain,
    [property: Id(3)] bool DryRun,
    [property: Id(4)] bool Passed,
    [property: Id(5)] long Events,
    [property: Id(6)] IReadOnlyList<InvalidationSpan> Invalidations,
    [property: Id(7)] int Attempt = 1,
    [property: Id(8)] InvalidationSpan? Candidate = null,
    [property: Id(9)] RunMode Mode = RunMode.Direct,
    [property: Id(10)] IReadOnlyList<string>? NotWhole = null,
    [property: Id(11)] string? Rebuild = null,
    [property: Id(12)] string? Damage = null,
    [property: Id(13)] IReadOnlyList<AstrayRow>? Astray = null,
    [property: Id(14)] long Version = 0,
    [property: Id(15)] IReadOnlyList<string>? Unnamed = null,
    [property: Id(16)] int? FromHour = null)
{
    private const long Attempts = 1_000_000;

    /// <summary>Grows from try to try and from run to run.</summary>
    public long Order => (Run * Attempts) + Attempt;

    /// <summary>What rows that it corrects carry: <c>r17</c>, and <c>r17.2</c> for a later try.</summary>
    public string Name => Attempt == 1 ? string.Create(CultureInfo.InvariantCulture, $"r{Run}") : string.Create(CultureInfo.InvariantCulture, $"r{Run}.{Attempt}");

    /// <summary>Whether a row carries a run's name, of whichever try.</summary>
    public static bool IsNameOf(string? name, long run) => name is not null && RunOf(name) == run;

    /// <summary>The run of a name, of whichever try; null where it is no run's.</summary>
    public static long? RunOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        ReadOnlySpan<char> number = name.StartsWith('r') ? name.AsSpan(1) : default;
        int dot = number.IndexOf('.');
        return long.TryParse(dot < 0 ? number : number[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out long run) ? run : null;
    }
}

/// <summary>A row of a window that stands in the partition of another day.</summary>
/// <param name="Series">The window's series.</param>
/// <param name="Hour">Hours since the epoch.</param>
/// <param name="Chain">The chain's number.</param>
/// <param name="Day">Where it stands, days since the epoch.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.AstrayRow")]
public sealed record AstrayRow([property: Id(0)] string Series, [property: Id(1)] int Hour, [property: Id(2)] int Chain, [property: Id(3)] int Day);

/// <summary>An invalidation and while it was in force, by the numbers of the events that began and ended it.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Filter">Which clicks.</param>
/// <param name="From">The event that began it.</param>
/// <param name="To">The event that ended it; null while none has.</param>
/// <param name="At">When it was asked for, milliseconds since the epoch.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.InvalidationSpan")]
public sealed record InvalidationSpan(
    [property: Id(0)] long Number, [property: Id(1)] InvalidationFilter Filter, [property: Id(2)] long From, [property: Id(3)] long? To = null, [property: Id(4)] long At = 0)
{
    /// <summary>
    /// How an archived click that lost its personal fields says that the filter fitted it. With the time: a store that was restored from
    /// an older copy gives numbers again.
    /// </summary>
    public string Mark => string.Create(CultureInfo.InvariantCulture, $"{Number}@{At}");

    /// <summary>Whether it was in force once that event had happened, and no later one.</summary>
    public bool InForceAt(long @event) => From <= @event && !(To <= @event);
}

/// <summary>What became of a recount.</summary>
public enum RecountOutcome : byte
{
    /// <summary>The hour is as the archive has it (or a dry run has reported).</summary>
    Done = 0,

    /// <summary>Not yet: the same may go well a little later.</summary>
    Again = 1,

    /// <summary>It cannot be done until somebody acts.</summary>
    Refused = 2,
}

/// <summary>What a recount found and did.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Code">Why it is not done; see <see cref="RunTrouble.Code"/>.</param>
/// <param name="Message">The same in words.</param>
/// <param name="ClicksRead">Archived clicks that were read.</param>
/// <param name="Corrections">Windows that were corrected (or would have been, by a dry run).</param>
/// <param name="ClicksChanged">Clicks of <c>total</c> after less before.</param>
/// <param name="Final">What makes the hour final; null where nothing has to.</param>
/// <param name="Changes">What changed of the series of each rollup; null for nothing.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RecountResult")]
public sealed record RecountResult(
    [property: Id(0)] RecountOutcome Outcome,
    [property: Id(1)] string? Code,
    [property: Id(2)] string? Message,
    [property: Id(3)] long ClicksRead,
    [property: Id(4)] long Corrections,
    [property: Id(5)] long ClicksChanged,
    [property: Id(6)] RecountFinal? Final = null,
    [property: Id(7)] IReadOnlyList<RollupChange>? Changes = null);

/// <summary>What makes an hour final.</summary>
/// <param name="Upto">Every click of the hour below this offset is in the counts.</param>
/// <param name="Versions">Of the finalisations before.</param>
/// <param name="HistoryRows">Windows whose counts of before were kept for it.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RecountFinal")]
public sealed record RecountFinal([property: Id(0)] long Upto, [property: Id(1)] IReadOnlyList<long> Versions, [property: Id(2)] long HistoryRows = 0);

/// <summary>A window that no index named until the search gave it one.</summary>
/// <param name="Series">The window's series.</param>
/// <param name="Hour">Hours since the epoch.</param>
/// <param name="Chain">The chain's number.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.UnnamedWindow")]
public sealed record UnnamedWindow([property: Id(0)] string Series, [property: Id(1)] int Hour, [property: Id(2)] int Chain);
