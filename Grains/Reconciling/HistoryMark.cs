using System.Globalization;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>
/// Says, in another table, that a row of the history was kept, and what was in it: a row that is deleted or altered behind our backs
/// would else silently change what is answered of a version. Rows that builds before it kept have none.
/// </summary>
/// <param name="Key">The window.</param>
/// <param name="Ordinal">The finalisation, as <see cref="HistoryRow.Ordinal"/> has it.</param>
/// <param name="Check">Of the row's quarters: see <see cref="Of"/>.</param>
public readonly record struct HistoryMark(WindowKey Key, int Ordinal, long Check)
{
    /// <summary>The mark of a row. Minutes are not in it: whether they were still kept depends on when the row was written.</summary>
    public static HistoryMark Of(HistoryRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        ulong check = 14_695_981_039_346_656_037; // FNV-1a, of whole numbers
        foreach (long quarter in row.Quarters)
        {
            check = (check ^ (ulong)quarter) * 1_099_511_628_211;
        }

        return new HistoryMark(row.Key, row.Ordinal, (long)check);
    }

    /// <summary>What is wrong with rows that were read after their marks; one of the windows each.</summary>
    public static IEnumerable<string> Differences(IEnumerable<HistoryMark> marks, IEnumerable<HistoryRow> rows)
    {
        var read = rows.ToDictionary(row => (row.Key, row.Ordinal));
        foreach (HistoryMark mark in marks)
        {
            bool isThere = read.TryGetValue((mark.Key, mark.Ordinal), out HistoryRow? row);
            if (!isThere || Of(row!) != mark || !IsWhole(row!))
            {
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"what {mark.Key.Series} had in the hour {DateTimeOffset.FromUnixTimeSeconds(mark.Key.Hour * 3600L):yyyy-MM-dd'T'HH:mm:ss'Z'} of chain {mark.Key.Chain} before its finalisation {mark.Ordinal + 1} is {(isThere ? "not what was written" : "gone")} (table history)");
            }
        }
    }

    // Minutes add up to their quarters.
    private static bool IsWhole(HistoryRow row) =>
        row.Minutes is not { } minutes || row.Quarters.Select((quarter, n) => minutes.Skip(n * 15).Take(15).Sum() == quarter).All(same => same);
}
