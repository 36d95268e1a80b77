using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>A window that is not stored as it should be, or whose derived rows are not.</summary>
/// <param name="Key">The window.</param>
/// <param name="Cause">Why, as far as the store shows it; none where nothing differs and it is written again all the same.</param>
/// <param name="Before">Clicks in each quarter (4) as they are stored.</param>
/// <param name="After">Clicks in each quarter (4) by the recount.</param>
/// <param name="Minutes">60 counts by the recount; null where minutes are not kept any more.</param>
/// <param name="StoredUpto">The end of the last batch that the stored row applied.</param>
/// <param name="Lowers">It has fewer clicks in a minute than are stored.</param>
/// <param name="Detail">What differs: <c>row</c>, <c>minutes</c>, <c>day</c>, <c>upto</c>, <c>top</c>, <c>floor</c>, <c>hour</c> and so on.</param>
internal sealed record WindowDifference(
    WindowKey Key, CorrectionCause Cause, long[] Before, long[] After, long[]? Minutes, long StoredUpto, bool Lowers, string Detail)
{
    /// <summary>As what the window was read; null where nothing was there, or only what is derived from it differs.</summary>
    public StoredWindow? Read { get; init; }

    /// <summary>The window was corrected before by this run: the ledger has its row, and it is counted.</summary>
    public bool IsRepeat { get; init; }

    /// <summary>The hour's mark is gone: it is put back with the window.</summary>
    public bool MarksHour { get; init; }

    /// <summary>The floor that the hour's top list should have where it is higher; null for none.</summary>
    public long? HourFloor { get; init; }

    /// <summary>The same of the day's list.</summary>
    public long? DayFloor { get; init; }

    /// <summary>What its row of the ledger begins with where that is not <see cref="Before"/>: what the run found there at first.</summary>
    public long[]? FoundAtFirst { get; init; }
}
