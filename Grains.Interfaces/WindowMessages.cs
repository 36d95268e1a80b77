namespace ClickAggregator.Grains;

/// <summary>One batch's clicks of one window.</summary>
/// <param name="End">The end offset of the batch: a window that has applied it does nothing.</param>
/// <param name="Stamp">The batch's stamp, microseconds.</param>
/// <param name="Attempt">0 for the first call, one more with each repeat, at most 500: added to the stamp.</param>
/// <param name="PreviousStamp">Of this chain's last write to the window, as acknowledged; null for unknown.</param>
/// <param name="Minutes">Clicks per minute of the hour.</param>
/// <param name="Final">The latest finalisation of the window's hour; null where it is not final, or ended just now.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.WindowDelta")]
public sealed record WindowDelta(
    [property: Id(0)] long End,
    [property: Id(1)] long Stamp,
    [property: Id(2)] int Attempt,
    [property: Id(3)] long? PreviousStamp,
    [property: Id(4)] ReadOnlyMemory<MinuteCount> Minutes,
    [property: Id(5)] FinalMark? Final = null);

/// <summary>A finalisation of an hour of a chain.</summary>
/// <param name="Upto">Every click of the hour below this offset is in its counts.</param>
/// <param name="Run">The run that did it.</param>
/// <param name="Version">Its version: no two have the same.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.FinalMark")]
public readonly record struct FinalMark([property: Id(0)] long Upto, [property: Id(1)] long Run, [property: Id(2)] long Version)
{
    /// <summary>Whether a row has what it had then: no later batch is in it, and no later run has corrected it.</summary>
    /// <param name="upto">The row's.</param>
    /// <param name="run">The name of the run that corrected the row last; null for none.</param>
    public bool IsStateOf(long upto, string? run) => upto <= Upto && (run is null || RecountRequest.RunOf(run) <= Run);
}

/// <summary>A recount's result for one window, to stand in place of what is stored.</summary>
/// <param name="Upto">Every click below this offset is in the counts.</param>
/// <param name="Stamp">Above all that the row is known to hold, microseconds.</param>
/// <param name="Attempt">0 for the first call, one more with each repeat.</param>
/// <param name="Run">The run that asks for it; a row that carries it is acknowledged.</param>
/// <param name="Minutes">60 counts, or null where minutes are not kept any more.</param>
/// <param name="Quarters">4 counts.</param>
/// <param name="Counted">
/// The chain has counted up to here, and is between two batches: a row that says more was changed by somebody else. 0 for unknown.
/// </param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.WindowCorrection")]
public sealed record WindowCorrection(
    [property: Id(0)] long Upto,
    [property: Id(1)] long Stamp,
    [property: Id(2)] int Attempt,
    [property: Id(3)] string Run,
    [property: Id(4)] long[]? Minutes,
    [property: Id(5)] long[] Quarters,
    [property: Id(6)] long Counted = 0);

/// <summary>What a window did.</summary>
public enum WindowOutcome : byte
{
    /// <summary>The counts are stored.</summary>
    Applied,

    /// <summary>It had applied this batch, or carries this run, before.</summary>
    Repeated,

    /// <summary>Its row is older than what the chain wrote: it counts nothing more until it is corrected.</summary>
    SetAside,

    /// <summary>Its row carries a stamp that is not below the call's: nothing was done.</summary>
    Refused,

    /// <summary>It has applied batches beyond what the correction knows: try again with a later recount.</summary>
    Later,
}

/// <summary>A window's answer.</summary>
/// <param name="Outcome">What it did.</param>
/// <param name="Stamp">The stamp of its row.</param>
/// <param name="HourClicks">Clicks of its hour.</param>
/// <param name="DayClicks">Clicks of its series and chain in the UTC day.</param>
[GenerateSerializer, Immutable, Alias("ClickAggregator.WindowAck")]
public readonly record struct WindowAck(
    [property: Id(0)] WindowOutcome Outcome,
    [property: Id(1)] long Stamp,
    [property: Id(2)] long HourClicks,
    [property: Id(3)] long DayClicks);
