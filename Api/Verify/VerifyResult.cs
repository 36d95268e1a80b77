using System.Globalization;

namespace ClickAggregator.Api.Verify;

/// <summary>What a recount of the log found.</summary>
/// <param name="Counted">Clicks of the <c>total</c> windows as the store has them.</param>
/// <param name="Recounted">The same clicks, counted again from the log.</param>
/// <param name="WindowsDiffer">Windows (series, hour, chain) in which a minute or a quarter-hour differs.</param>
/// <param name="Duplicates">Records of the log that repeat a click id, and so are not counted.</param>
/// <param name="Examples">The first windows that differ, in words.</param>
internal sealed record VerifyResult(
    long Counted, long Recounted, long WindowsDiffer, long Duplicates, IReadOnlyList<string> Examples)
{
    /// <summary>Records of the log that hold no click.</summary>
    public long NoClicks { get; init; }

    /// <summary>Records that the log has lost to damage: whether they were clicks, and which, nobody knows, so they are in neither count.</summary>
    public long Damaged { get; init; }

    /// <summary>Windows whose clicks the log does not have all of any more.</summary>
    public long WindowsLeftOut { get; init; }

    /// <summary>Windows that reconciliation has corrected, which are held against its ledger.</summary>
    public long WindowsCorrected { get; init; }

    /// <summary>Of these, those that got clicks since, which were counted on top of what the ledger says.</summary>
    public long WindowsClickedSince { get; init; }

    /// <summary>Clicks that were recounted from the archive, repeats included.</summary>
    public long Archived { get; init; }

    /// <summary>Archived clicks that repeat another one and are not marked so.</summary>
    public long RepeatsDiffer { get; init; }

    /// <summary>Archived clicks that are marked as repeats, of clicks of other hours: they are taken for what the mark says.</summary>
    public long RepeatsElsewhere { get; init; }

    /// <summary>One id of so many was looked at for <see cref="RepeatsDiffer"/>: 1 for all, more in hours of many millions of clicks.</summary>
    public uint RepeatsOneOf { get; init; } = 1;

    /// <summary>Hours of chains whose mark ends before their last click, or beyond what the log has.</summary>
    public long HoursDiffer { get; init; }

    public bool Agrees => WindowsDiffer == 0 && RepeatsDiffer == 0 && HoursDiffer == 0 && Counted == Recounted;

    /// <summary>One line. What differs comes first: totals that agree say little where windows do not.</summary>
    public override string ToString() => Agrees
        ? string.Create(CultureInfo.InvariantCulture, $"{Counted:N0} counted, {Recounted:N0} recounted, 0 windows differ")
        : string.Create(CultureInfo.InvariantCulture, $"{Differences()}: {Counted:N0} clicks are counted in all, and {Recounted:N0} recounted");

    private string Differences()
    {
        string[] found =
        [
            .. Say(WindowsDiffer, "windows differ"),
            .. Say(RepeatsDiffer, "repeats are not marked"),
            .. Say(HoursDiffer, "hours are marked up to another offset"),
        ];
        return found.Length == 0 ? "the totals differ" : string.Join(" and ", found);

        static IEnumerable<string> Say(long count, string what) => count == 0 ? [] : [string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}")];
    }
}
