using System.ComponentModel;
using ClickAggregator.Api.Queries;

namespace ClickAggregator.Api.Ledger;

// What the answers look like, for the API's description alone: the answers themselves are written field by field,
// and a test compares the two.

/// <summary>A field of an order's body.</summary>
internal sealed record BodyField(string Name, string Description, bool Required = false, bool IsFlag = false);

/// <summary>A page of runs, the latest first.</summary>
internal sealed record RunList(IReadOnlyList<RunAnswer> Items, string? NextCursor);

/// <summary>A run, as far as it is.</summary>
internal sealed record RunAnswer(
    long Id,
    [property: Description("schedule, late, asked, invalidation, revocation or rebuild.")] string Reason,
    [property: Description("waiting, running, done, or done_in_part: see troubles.")] string State,
    [property: Description("direct or republish.")] string Mode,
    [property: Description("Of rebuild: the rollup whose history it makes up for.")] string? Rollup,
    bool DryRun,
    DateTimeOffset From,
    DateTimeOffset To,
    [property: Description("The name of the key that asked; null for the schedule, or where no key is asked for.")] string? By,
    DateTimeOffset AskedAt,
    [property: Description("Its hours are too young until then; null where it waits only for other runs.")] DateTimeOffset? NotBefore,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    [property: Description("How far the search is that it waits for; null where none was asked.")] RunSearchAnswer? Search,
    [property: Description("Hours to recount, each once for every chain (partition of a log): 24 hours of 4 partitions are 96. Of the schedule: hours of chains with clicks that no run has covered, and of its last 48 hours every one.")] int HoursPlanned,
    [property: Description("Of hours_planned.")] int HoursDone,
    [property: Description("Archived clicks that were read.")] long ClicksRead,
    [property: Description("At the pace so far; null while nobody can tell.")] long? SecondsLeft,
    [property: Description("Why hours of it have to be tried again, the latest: the archive is behind, for example. Null where none has. After a quarter of an hour they are in troubles.")] string? WaitsFor,
    [property: Description("Windows that differed.")] long Corrections,
    [property: Description("Of all clicks together (the series total): after less before. What changed of others is in changes: where one target lost what another got, this is 0.")] long ClicksChanged,
    [property: Description("What changed of the series of each rollup; those of which nothing did are left out.")] IReadOnlyList<RollupChangeAnswer> Changes,
    [property: Description("Hours that could not be done, and why; at most 100.")] IReadOnlyList<RunTroubleAnswer> Troubles);

/// <summary>How far the search for rows that no index names is.</summary>
internal sealed record RunSearchAnswer(
    [property: Description("Parts of the store.")] int Parts,
    [property: Description("Of these, looked through.")] int PartsDone);

/// <summary>What a run changed of the series of one rollup.</summary>
internal sealed record RollupChangeAnswer(
    [property: Description("total, kind, target, campaign, with |country, |device. Null for what is no series of ours.")] string? Rollup,
    [property: Description("Windows (an hour of a series in a chain) that differed, also where not in their counts.")] long Windows,
    [property: Description("Clicks that windows lacked.")] long Raised,
    [property: Description("Clicks that windows had too many.")] long Lowered);

/// <summary>An hour that a run could not do.</summary>
internal sealed record RunTroubleAnswer(DateTimeOffset Hour, int Chain, string Code, string Message);

/// <summary>A page of the ledger.</summary>
internal sealed record CorrectionList(IReadOnlyList<CorrectionAnswer> Items, string? NextCursor);

/// <summary>One correction of one window by one run.</summary>
internal sealed record CorrectionAnswer(
    DateTimeOffset Hour,
    [property: Description("A partition of a log; /v1/status names it.")] int Chain,
    long Run,
    [property: Description("What was counted: total, kind:ad, ad:a-42, campaign:c-7, with |country:US, |device:mobile.")] string Series,
    [property: Description("missed, duplicate, phantom, store_damage, invalidated, restored or rebuilt.")] string Cause,
    [property: Description("pending, settled, dropped (not done), or dry (what a dry run would have done).")] string State,
    long Before,
    long After,
    [property: Description("By quarter of the hour.")] IReadOnlyList<long> BeforeQuarters,
    [property: Description("By quarter of the hour.")] IReadOnlyList<long> AfterQuarters,
    [property: Description("Every click of the chain below this offset is in after.")] long Upto,
    DateTimeOffset At,
    [property: Description("What differed beside the counts.")] string? Detail);

/// <summary>A page of invalidations, the latest first.</summary>
internal sealed record InvalidationList(IReadOnlyList<InvalidationAnswer> Items, string? NextCursor);

/// <summary>Clicks that are taken back.</summary>
internal sealed record InvalidationAnswer(
    long Id,
    bool DryRun,
    string Reason,
    [property: Description("What was asked for: from, to, and the conditions.")] IReadOnlyDictionary<string, string> Filter,
    [property: Description("The name of the key that asked; null where none is asked for.")] string? By,
    DateTimeOffset At,
    [property: Description("The run that applies it, or reports it.")] long Run,
    DateTimeOffset? RevokedAt,
    string? RevokedBy,
    [property: Description("The run that makes its clicks count again.")] long? RevokingRun);

/// <summary>A page of erasures, the latest first.</summary>
internal sealed record ErasureList(IReadOnlyList<ErasureAnswer> Items, string? NextCursor);

/// <summary>An erasure. It does not say of whom: the id is the receipt.</summary>
internal sealed record ErasureAnswer(
    long Id,
    bool DryRun,
    string Reason,
    [property: Description("The name of the key that asked; null where none is asked for.")] string? By,
    [property: Description("waiting, running, done, or done_in_part: see troubles.")] string State,
    [property: Description("What it waits for.")] string? Detail,
    DateTimeOffset AskedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    [property: Description("Partitions of logs whose archives are looked through.")] int Chains,
    int ChainsDone,
    [property: Description("Archived objects that were looked into; what was looked into again counts again.")] long ObjectsRead,
    long BytesRead,
    [property: Description("Objects that were rewritten, once it is done; of a dry run, those that hold the user.")] long Objects,
    [property: Description("The user's clicks in them. A click that moved into the table lately may be in two.")] long Clicks,
    [property: Description("The first 100 of these objects; none of erasures before the latest 100. The manifests name them all.")] IReadOnlyList<ErasedObjectAnswer> Rewritten,
    [property: Description("Invalidations that name the user: they keep the id in their filter, and the clicks that they took back stay so.")] IReadOnlyList<long> Invalidations,
    [property: Description("Objects that could not be read, and why: nobody knows whether they hold the user.")] IReadOnlyList<string> Troubles,
    [property: Description("When the logs have forgotten the last of the clicks, by their retention; null while that is not known, and of a dry run.")] DateTimeOffset? CopiesUntil,
    [property: Description("What else may hold copies.")] IReadOnlyList<string> Notes);

/// <summary>An object that was rewritten under its key, or of a dry run one that holds the user.</summary>
internal sealed record ErasedObjectAnswer(
    string Key,
    int Chain,
    long Clicks,
    [property: Description("The entry of the chain's manifest; null of a dry run.")] long? Entry,
    [property: Description("SHA-256 of its bytes before.")] string Sha256Before,
    [property: Description("SHA-256 of its bytes now; null of a dry run.")] string? Sha256);

/// <summary>What a run changes of each target.</summary>
internal sealed record DifferenceAnswer(
    long Run,
    bool DryRun,
    [property: Description("The run has ended.")] bool Complete,
    [property: Description("The run's first hour.")] DateTimeOffset From,
    [property: Description("The hour after its last.")] DateTimeOffset To,
    [property: Description("How many targets differ.")] int Targets,
    [property: Description("After less before, over all of them.")] long Difference,
    [property: Description("By kind and id.")] IReadOnlyList<TargetDifference> Items,
    string? NextCursor)
{
    [Description("True where a window of these clicks is set aside; else absent.")]
    public bool Incomplete { get; init; }
}

/// <summary>What changes of a target.</summary>
internal sealed record TargetDifference(
    string Kind,
    string Id,
    [property: Description("All its clicks from from to to, as they are counted now; the difference of a dry run is not in them. Null where the rollup target was switched on within the range.")]
    long? Clicks,
    [property: Description("What the run adds to them; negative for what it takes away.")] long Difference);

/// <summary>Closed months.</summary>
internal sealed record PeriodList(IReadOnlyList<PeriodAnswer> Items, string? NextCursor);

/// <summary>A month (UTC) that is closed for billing.</summary>
internal record PeriodAnswer(
    [property: Description("2026-11")] string Month,
    [property: Description("version=… on any count of the month has the numbers as they were closed.")] long Version,
    DateTimeOffset ClosedAt,
    [property: Description("The name of the key; null where none is asked for.")] string? ClosedBy);

/// <summary>A closed month, and what came to it afterwards.</summary>
internal sealed record PeriodDetails(
    string Month,
    long Version,
    DateTimeOffset ClosedAt,
    string? ClosedBy,
    CountedThing Of,
    IReadOnlyDictionary<string, string> Filter,
    DateTimeOffset From,
    DateTimeOffset To,
    [property: Description("As it was closed. Null while a run is changing an hour of it: see detail.")] long? ClicksClosed,
    long ClicksNow,
    [property: Description("Now less closed: clicks that came late, and corrections.")] long? Adjustment,
    string? Detail,
    [property: Description("What every answer says of its numbers.")] PeriodNow Now);

/// <summary>What an answer says of its numbers.</summary>
internal sealed record PeriodNow(DateTimeOffset? CountedUntil, decimal? LagSeconds, int SourcesStale, DateTimeOffset? FinalUntil, long? Version)
{
    public bool Incomplete { get; init; }
}
