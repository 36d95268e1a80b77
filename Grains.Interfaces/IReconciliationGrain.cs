using Orleans.Concurrency;

namespace ClickAggregator.Grains;

/// <summary>Plans runs of reconciliation, sees them through, and gives out versions; there is one, with key 0.</summary>
[Alias("ClickAggregator.IReconciliationGrain")]
public interface IReconciliationGrain : IGrainWithIntegerKey
{
    /// <summary>Wakes it up: it plans what is due and goes on with a run that was under way.</summary>
    [Alias("Touch")]
    [AlwaysInterleave]
    Task TouchAsync();

    /// <summary>Asks for a run; it begins once the one under way is done.</summary>
    /// <exception cref="ReconciliationRefusedException">The range cannot be run, or too many wait.</exception>
    [Alias("Start")]
    Task<ReconciliationRun> StartAsync(RunRequest request);

    /// <summary>
    /// Asks for the history of a rollup that was switched on later. Hours that are too young now get a run of their own, which waits
    /// until they are not. Asked again meanwhile, it answers the runs that there are.
    /// </summary>
    /// <param name="rollup">For example <c>target|country</c>.</param>
    /// <param name="fromHour">From which hour on, since the epoch; null for all that is there.</param>
    /// <param name="dryRun">Reports and changes nothing.</param>
    /// <param name="by">The key's name; null where none is asked for.</param>
    /// <exception cref="ReconciliationRefusedException">There is no such rollup, it is not counted by, or nothing of it is missing.</exception>
    [Alias("Rebuild")]
    [ResponseTimeout("00:05:00")]
    Task<IReadOnlyList<ReconciliationRun>> RebuildAsync(string rollup, int? fromHour, bool dryRun, string? by);

    /// <summary>A run; null where there is none of that number (the latest 1,000 are kept).</summary>
    [Alias("GetRun")]
    [AlwaysInterleave]
    Task<ReconciliationRun?> GetRunAsync(long number);

    /// <summary>Runs, the latest first, below a number; at most 1,000.</summary>
    [Alias("GetRuns")]
    [AlwaysInterleave]
    Task<IReadOnlyList<ReconciliationRun>> GetRunsAsync(long? below, int limit);

    /// <summary>How far hours are planned, and the version of the ledger now.</summary>
    [Alias("GetPosition")]
    [AlwaysInterleave]
    Task<LedgerPosition> GetPositionAsync();

    /// <summary>Takes clicks back, or reports what that would change; applied by a run of its own.</summary>
    /// <exception cref="ReconciliationRefusedException">It cannot be done.</exception>
    [Alias("Invalidate")]
    Task<Invalidation> InvalidateAsync(InvalidationRequest request);

    /// <summary>Ends an invalidation: its clicks count again. Null where there is none of that number.</summary>
    [Alias("Revoke")]
    Task<Invalidation?> RevokeAsync(long number, string? by);

    /// <summary>Invalidations, the latest first, below a number; at most 1,000.</summary>
    [Alias("GetInvalidations")]
    [AlwaysInterleave]
    Task<IReadOnlyList<Invalidation>> GetInvalidationsAsync(long? below, int limit);

    /// <summary>
    /// Until <see cref="EndErasureAsync"/>, refuses invalidations that ask for a user, or for a referrer. A repeat changes nothing.
    /// </summary>
    /// <returns>Those that there are, ended and dry ones too, and that may fit the user's clicks by what an erasure clears.</returns>
    [Alias("BeginErasure")]
    Task<IReadOnlyList<InvalidationSpan>> BeginErasureAsync(long erasure, string userId);

    /// <summary>The user's clicks are erased.</summary>
    [Alias("EndErasure")]
    Task EndErasureAsync(long erasure);

    /// <summary>Freezes the version of a month (UTC); a month that is closed stays as it was closed.</summary>
    /// <param name="month">Months since 1970-01.</param>
    /// <param name="by">The key's name; null where none is asked for.</param>
    /// <exception cref="ReconciliationRefusedException">Not every hour of the month is final.</exception>
    [Alias("ClosePeriod")]
    Task<ClosedPeriod> ClosePeriodAsync(int month, string? by);

    /// <summary>The periods that are closed, by month.</summary>
    [Alias("GetPeriods")]
    [AlwaysInterleave]
    Task<IReadOnlyList<ClosedPeriod>> GetPeriodsAsync();
}

/// <summary>How far hours are planned, and the version of the ledger.</summary>
/// <param name="Through">Hours (since the epoch) from this one on were in no scheduled run yet: they are provisional.</param>
/// <param name="Version">Of the last finalisation; 0 before the first.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LedgerPosition")]
public readonly record struct LedgerPosition([property: Id(0)] int Through, [property: Id(1)] long Version)
{
    /// <summary>What is known to be gone of the history; null for nothing.</summary>
    [Id(2)]
    public IReadOnlyList<LostHistory>? Lost { get; init; }

    /// <summary>Versions that hours may get still: their finalisations are being written, or nobody knows whether they were. Null for none.</summary>
    [Id(3)]
    public IReadOnlyList<long>? Unsettled { get; init; }

    /// <summary>Whether every hour that has a version, or will have it, has it now.</summary>
    public bool IsSettled(long version) => Unsettled?.Contains(version) != true;
}

/// <summary>Counts that a run kept of earlier versions, and that are gone: which of its windows they were of nobody can say.</summary>
/// <param name="Run">The run.</param>
/// <param name="AfterVersion">The finalisations that it wrote have versions above this one,</param>
/// <param name="ToVersion">up to this one.</param>
/// <param name="Rows">So many rows.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.LostHistory")]
public sealed record LostHistory([property: Id(0)] long Run, [property: Id(1)] long AfterVersion, [property: Id(2)] long ToVersion, [property: Id(3)] long Rows);

/// <summary>What is asked of a run.</summary>
/// <param name="FromHour">First hour, since the epoch.</param>
/// <param name="ToHour">The hour after the last.</param>
/// <param name="Mode">How expected counts are made.</param>
/// <param name="DryRun">Reports and changes nothing.</param>
/// <param name="By">Who asked: the key's name; null for the schedule, or where no key is asked for.</param>
/// <param name="Rebuild">Which rollup's history it makes up for; null for none.</param>
/// <param name="Search">All that is stored is looked through first for windows that no index names: no run would find those in Cassandra.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RunRequest")]
public sealed record RunRequest(
    [property: Id(0)] int FromHour,
    [property: Id(1)] int ToHour,
    [property: Id(2)] RunMode Mode,
    [property: Id(3)] bool DryRun,
    [property: Id(4)] string? By,
    [property: Id(5)] RollupRebuild? Rebuild = null,
    [property: Id(6)] bool Search = false);

/// <summary>Makes up for the history of a rollup that was switched on later.</summary>
/// <param name="Rollup">For example <c>target|country</c>.</param>
/// <param name="FromHour">Hours from this one on are whole once the run is done: <see cref="int.MinValue"/> where no click is older than the run's first hour.</param>
/// <param name="Switches">Its <see cref="RollupStart.Switches"/> when it was asked for.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RollupRebuild")]
public sealed record RollupRebuild([property: Id(0)] string Rollup, [property: Id(1)] int FromHour, [property: Id(2)] long Switches);

/// <summary>How a run makes its expected counts.</summary>
public enum RunMode : byte
{
    /// <summary>Straight from the archive.</summary>
    Direct = 0,

    /// <summary>Also through a log of its own and the counting's own code: both have to say the same.</summary>
    Republish = 1,
}

/// <summary>How far a run is.</summary>
public enum RunState : byte
{
    Waiting = 0,
    Running = 1,

    /// <summary>Every hour is done.</summary>
    Done = 2,

    /// <summary>Done, but for hours that are named in <see cref="ReconciliationRun.Troubles"/>.</summary>
    DoneInPart = 3,
}

/// <summary>A run, as far as it is.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Request">What was asked.</param>
/// <param name="Reason">Why: <c>schedule</c>, <c>late</c>, <c>asked</c>, <c>invalidation</c>, <c>revocation</c>, <c>rebuild</c>.</param>
/// <param name="State">How far it is.</param>
/// <param name="AskedAt">Milliseconds since the epoch.</param>
/// <param name="StartedAt">Milliseconds since the epoch; null before.</param>
/// <param name="EndedAt">Milliseconds since the epoch; null before.</param>
/// <param name="HoursPlanned">Hours of chains to do.</param>
/// <param name="HoursDone">Of these, done.</param>
/// <param name="ClicksRead">Archived clicks that were read.</param>
/// <param name="Corrections">Windows that differed.</param>
/// <param name="ClicksChanged">Clicks of <c>total</c> after less before, over all corrections; 0 where there is no such rollup.</param>
/// <param name="Troubles">Hours that could not be done, and why; at most 100.</param>
/// <param name="NotBefore">It waits until then, milliseconds since the epoch; null where it waits only for others.</param>
/// <param name="Changes">What changed of the series of each rollup; null of runs that an earlier version did, and for none.</param>
/// <param name="Search">How far the search is that it waits for; null where none was asked.</param>
/// <param name="WaitsFor">Why hours of it have to be tried again, the latest; null where none has.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ReconciliationRun")]
public sealed record ReconciliationRun(
    [property: Id(0)] long Number,
    [property: Id(1)] RunRequest Request,
    [property: Id(2)] string Reason,
    [property: Id(3)] RunState State,
    [property: Id(4)] long AskedAt,
    [property: Id(5)] long? StartedAt,
    [property: Id(6)] long? EndedAt,
    [property: Id(7)] int HoursPlanned,
    [property: Id(8)] int HoursDone,
    [property: Id(9)] long ClicksRead,
    [property: Id(10)] long Corrections,
    [property: Id(11)] long ClicksChanged,
    [property: Id(12)] IReadOnlyList<RunTrouble> Troubles,
    [property: Id(13)] long? NotBefore = null,
    [property: Id(14)] IReadOnlyList<RollupChange>? Changes = null,
    [property: Id(15)] RunSearch? Search = null,
    [property: Id(16)] string? WaitsFor = null);

/// <summary>How far the search for windows that no index names is.</summary>
/// <param name="Parts">Parts of the store.</param>
/// <param name="PartsDone">Of these, looked through.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RunSearch")]
public sealed record RunSearch([property: Id(0)] int Parts, [property: Id(1)] int PartsDone);

/// <summary>What changed of the series of one rollup.</summary>
/// <param name="Rollup">For example <c>target|country</c>; null for what is no series of ours.</param>
/// <param name="Windows">Windows that differed, each once.</param>
/// <param name="Raised">Clicks that windows got, by quarters of an hour.</param>
/// <param name="Lowered">Clicks that windows lost, by quarters of an hour; at least 0.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RollupChange")]
public sealed record RollupChange([property: Id(0)] string? Rollup, [property: Id(1)] long Windows, [property: Id(2)] long Raised, [property: Id(3)] long Lowered)
{
    /// <summary>Adds up what changed of each rollup, in the order of their names.</summary>
    public static List<RollupChange> Sum(IEnumerable<RollupChange> changes) =>
    [
        .. changes.GroupBy(change => change.Rollup)
            .Select(of => new RollupChange(of.Key, of.Sum(one => one.Windows), of.Sum(one => one.Raised), of.Sum(one => one.Lowered)))
            .OrderBy(change => change.Rollup, StringComparer.Ordinal),
    ];
}

/// <summary>An hour that a run could not do, or that it names for another reason: with <c>manifest_damaged</c>, the first of a chain whose archive cannot prove its numbers.</summary>
/// <param name="Hour">Hours since the epoch.</param>
/// <param name="Chain">The chain's number.</param>
/// <param name="Code">For example <c>archive_damaged</c>, <c>manifest_damaged</c>, <c>archive_behind</c>, <c>archive_incomplete</c>, <c>replay_unavailable</c>, <c>recounts_differ</c>, <c>later</c>, <c>failed</c>; with <c>final_gone</c> an hour that was done, or the first of a run of which finalisations are gone; with <c>history_gone</c> the first of a run of which kept counts are gone.</param>
/// <param name="Message">What it is, with the object's name where it is one.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.RunTrouble")]
public sealed record RunTrouble([property: Id(0)] int Hour, [property: Id(1)] int Chain, [property: Id(2)] string Code, [property: Id(3)] string Message);

/// <summary>Which clicks are taken back: those that every part given fits.</summary>
/// <param name="FromTime">Event time, milliseconds since the epoch.</param>
/// <param name="ToTime">The time after the last.</param>
/// <param name="Kind">With <paramref name="TargetId"/>: one target. None for any.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.InvalidationFilter")]
public sealed record InvalidationFilter(
    [property: Id(0)] long FromTime,
    [property: Id(1)] long ToTime,
    [property: Id(2)] Clicks.TargetKind Kind = Clicks.TargetKind.None,
    [property: Id(3)] string? TargetId = null,
    [property: Id(4)] string? CampaignId = null,
    [property: Id(5)] string? UserId = null,
    [property: Id(6)] string? Device = null,
    [property: Id(7)] string? Country = null,
    [property: Id(8)] string? Referrer = null);

/// <summary>Asks for an invalidation.</summary>
[GenerateSerializer, Immutable, Alias("ClickAggregator.InvalidationRequest")]
public sealed record InvalidationRequest(
    [property: Id(0)] InvalidationFilter Filter, [property: Id(1)] string Reason, [property: Id(2)] bool DryRun, [property: Id(3)] string? By);

/// <summary>An invalidation.</summary>
/// <param name="Number">Its number, from 1; a dry run has one, too.</param>
/// <param name="Request">What was asked.</param>
/// <param name="At">When, milliseconds since the epoch.</param>
/// <param name="Run">The run that applies it (or reports it, where it is a dry one): its ledger has the difference per target.</param>
/// <param name="RevokedAt">When it was ended; null while it is in force.</param>
/// <param name="RevokedBy">The key's name.</param>
/// <param name="RevokingRun">The run that takes it back.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.Invalidation")]
public sealed record Invalidation(
    [property: Id(0)] long Number,
    [property: Id(1)] InvalidationRequest Request,
    [property: Id(2)] long At,
    [property: Id(3)] long Run,
    [property: Id(4)] long? RevokedAt = null,
    [property: Id(5)] string? RevokedBy = null,
    [property: Id(6)] long? RevokingRun = null);

/// <summary>A month that is closed for billing.</summary>
/// <param name="Month">Months since 1970-01.</param>
/// <param name="Version">The version that it stands at for good.</param>
/// <param name="At">When, milliseconds since the epoch.</param>
/// <param name="By">The key's name; null where none is asked for.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.ClosedPeriod")]
public sealed record ClosedPeriod([property: Id(0)] int Month, [property: Id(1)] long Version, [property: Id(2)] long At, [property: Id(3)] string? By);

/// <summary>What was asked cannot be done; the code is stable, for example <c>not_final</c>.</summary>
[GenerateSerializer, Alias("ClickAggregator.ReconciliationRefusedException")]
public sealed class ReconciliationRefusedException(string code, string message) : Exception(message)
{
    [Id(0)]
    public string Code { get; } = code;
}
