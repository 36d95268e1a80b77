namespace ClickAggregator.Grains.Reconciling;

/// <summary>The position of the ledger and of the run under way: small, because it is written with every finalisation.</summary>
public sealed class PositionDocument
{
    /// <summary>Hours from this one on were in no scheduled run yet; null before the first look.</summary>
    public int? Through { get; set; }

    /// <summary>Of the last finalisation.</summary>
    public long Version { get; set; }

    /// <summary>
    /// Versions whose finalisations are being written, or may come late: the write of one failed, or its owner died. The latest 100.
    /// </summary>
    public List<long> Unsettled { get; set; } = [];

    /// <summary>When hours with late clicks were planned last, milliseconds since the epoch.</summary>
    public long LateAt { get; set; }

    /// <summary>The run under way; null for none.</summary>
    public RunProgress? Current { get; set; }

    /// <summary>Hours that were in a run and never became final: they are not hours without clicks. The latest 1,000.</summary>
    public List<UnfinishedHour> Unfinished { get; set; } = [];

    /// <summary>There were more.</summary>
    public bool ForgotUnfinished { get; set; }

    /// <summary>How far the search for windows without a name is; null before the first.</summary>
    public SweepProgress? Sweep { get; set; }
}

/// <summary>How far the search for windows without a name is: all parts below <see cref="Part"/> are done in this round.</summary>
public sealed class SweepProgress
{
    public int Part { get; set; }

    /// <summary>When the next part is due, milliseconds since the epoch.</summary>
    public long NextAt { get; set; }

    /// <summary>When the round began, milliseconds since the epoch.</summary>
    public long BeganAt { get; set; }

    /// <summary>Windows without a name that this round found.</summary>
    public long Found { get; set; }

    /// <summary>Parts that could not be looked through in this round, or not to their end.</summary>
    public int Failed { get; set; }

    /// <summary>When the last round began that came to its end, milliseconds since the epoch; 0 before.</summary>
    public long SearchedAt { get; set; }

    /// <summary>Parts that could not be looked through in that round.</summary>
    public int SearchFailed { get; set; }

    /// <summary>Hours were opened that no run was asked for yet; or a part is under way, and may have opened some.</summary>
    public bool IsRunDue { get; set; }

    /// <summary>Rows that stand in another day than their hour's: the run that recounts the hour takes them away. At most 1,000.</summary>
    public List<AstrayRow> Astray { get; set; } = [];

    /// <summary>Windows that got their name by the search: the run that recounts the hour says so. At most 1,000.</summary>
    public List<UnnamedWindow> Named { get; set; } = [];

    /// <summary>What the next run has to name: it was found, and left as it is. At most 100.</summary>
    public List<RunTrouble> Left { get; set; } = [];
}

/// <summary>How far a run is: every unit up to (hour, chain) is done or deferred.</summary>
public sealed class RunProgress
{
    public long Run { get; set; }

    public int Hour { get; set; } = int.MinValue;

    public int Chain { get; set; }

    /// <summary>How often it was taken up: each time its tries get other numbers.</summary>
    public int Starts { get; set; }

    /// <summary>The last version before it; null where a build that does not know of it has written this in between: then the run proves nothing.</summary>
    public long? FromVersion { get; set; }

    /// <summary>A try died, or the run was taken up again: what it corrected until then is known by the ledger alone.</summary>
    public bool IsUncertain { get; set; }

    /// <summary>Finalisations that it wrote; there may be more, where it died in between.</summary>
    public long Finals { get; set; }

    /// <summary>Rows of the history that it kept for them; there may be more.</summary>
    public long HistoryRows { get; set; }

    public int Planned { get; set; }

    public int Done { get; set; }

    public long ClicksRead { get; set; }

    public long Corrections { get; set; }

    public long ClicksChanged { get; set; }

    public List<RollupChange> Changes { get; set; } = [];

    public List<RunTrouble> Troubles { get; set; } = [];

    /// <summary>Units that wait for the archive or the counting.</summary>
    public List<UnfinishedHour> Deferred { get; set; } = [];

    /// <summary>Of a run that rebuilds a rollup: hours that it could not do, and perhaps some between them.</summary>
    public List<HourRange> Gaps { get; set; } = [];
}

/// <summary>An hour of a chain.</summary>
public sealed record UnfinishedHour(int Hour, int Chain);

/// <summary>Runs, the earliest first.</summary>
public sealed class RunsDocument
{
    /// <summary>The number of the next run.</summary>
    public long Next { get; set; } = 1;

    public List<PlannedRun> Runs { get; set; } = [];
}

/// <summary>A run and what it goes over.</summary>
/// <param name="Run">The run, as it stood when it was stored.</param>
/// <param name="OnlyOpen">Only hours that are not final.</param>
/// <param name="PassedBelow">Hours below this one were called final without clicks before it was planned.</param>
/// <param name="Candidate">The number of the invalidation that a dry run is about; null for none.</param>
/// <param name="Proof">What it left in the store; null before its end, of builds before this, and for nothing.</param>
public sealed record PlannedRun(ReconciliationRun Run, bool OnlyOpen, int PassedBelow, long? Candidate = null, RunProof? Proof = null);

/// <summary>What of a run has to be in the store, so that whoever takes it away is noticed.</summary>
/// <param name="AfterVersion">Its versions are above this one,</param>
/// <param name="ToVersion">up to this one.</param>
/// <param name="FromHour">Its finalisations are of hours from this one on,</param>
/// <param name="ToHour">up to before this one.</param>
/// <param name="Finals">So many finalisations at least: each stands in its hour's row for good, also behind later ones.</param>
/// <param name="HistoryRows">So many rows of the history at least.</param>
/// <param name="Missing">So many of the finalisations are gone, and that was said.</param>
/// <param name="MissingRows">So many of the rows of the history were gone, with their marks, when that was looked at last.</param>
public sealed record RunProof(long AfterVersion, long ToVersion, int FromHour, int ToHour, long Finals, long HistoryRows, long Missing = 0, long MissingRows = 0)
{
    /// <summary>Whether it is about an hour.</summary>
    public bool Covers(int hour) => hour >= FromHour && hour < ToHour;
}

/// <summary>Invalidations, the earliest first.</summary>
public sealed class InvalidationsDocument
{
    /// <summary>The number of the next invalidation.</summary>
    public long Next { get; set; } = 1;

    /// <summary>How many began or ended.</summary>
    public long Events { get; set; }

    public List<KeptInvalidation> Invalidations { get; set; } = [];

    /// <summary>Users whose clicks are being erased.</summary>
    public List<ErasingUser> Erasing { get; set; } = [];
}

/// <summary>A user whose clicks an erasure is at.</summary>
public sealed record ErasingUser(long Erasure, string UserId);

/// <summary>An invalidation and the events that began and ended it; one that is only reported never begins.</summary>
public sealed record KeptInvalidation(Invalidation Invalidation, long? From, long? To)
{
    public InvalidationSpan Span => new(Invalidation.Number, Invalidation.Request.Filter, From ?? long.MaxValue, To, Invalidation.At);
}

/// <summary>The periods that are closed, by month.</summary>
public sealed class PeriodsDocument
{
    public List<ClosedPeriod> Periods { get; set; } = [];
}
