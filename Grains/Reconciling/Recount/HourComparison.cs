using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Compares what is stored of an hour with what was recounted, series by series, for the stretch that the table holds. A window's
/// row and its element of the day slice are written together: where the two differ, the store was changed behind our backs, and
/// where they agree and are wrong, the counting was. Not safe for concurrent use.
/// </summary>
internal sealed class HourComparison
{
    private readonly HourTable _table;
    private readonly RollupSet _rollups;
    private readonly int _hour;
    private readonly int _chain;
    private readonly bool _withMinutes;
    private readonly HashSet<string> _notWhole;

    /// <param name="table">What was recounted.</param>
    /// <param name="rollups">The rollups in force: series of others are history that nobody counts any more, and left alone.</param>
    /// <param name="hour">The hour.</param>
    /// <param name="chain">The chain.</param>
    /// <param name="withMinutes">Whether minutes of the hour are kept.</param>
    /// <param name="notWhole">Rollups that were switched on after clicks of the hour were counted.</param>
    public HourComparison(HourTable table, RollupSet rollups, int hour, int chain, bool withMinutes, IReadOnlyList<string>? notWhole = null)
    {
        _table = table;
        _rollups = rollups;
        _hour = hour;
        _chain = chain;
        _withMinutes = withMinutes;
        _notWhole = [.. notWhole ?? []];
        table.SeeNothing();
    }

    /// <summary>
    /// How far the chain is counted: a row that says that it has more would take the next batches for applied ones. One that says that it has
    /// less than the clicks it counts would take their batch twice.
    /// </summary>
    public long CountedTo { get; init; } = long.MaxValue;

    /// <summary>Whether a stored window is compared in this pass.</summary>
    public bool Covers(string series) =>
        (!SeriesName.TryParse(series, out SeriesName name) || _rollups.Contains(name.Rollup)) && _table.Covers(series);

    /// <summary>How a stored window differs; null where it does not. Each is to be given once.</summary>
    /// <param name="stored">What is stored.</param>
    /// <param name="always">Answers also where nothing differs: what an earlier try left pending.</param>
    public WindowDifference? Compare(StoredWindow stored, bool always = false)
    {
        int number = _table.Lookup(stored.Key.Series);
        if (number >= 0)
        {
            _table.See(number);
        }

        long[] expected = _table.Counts(number);
        long[] quarters = Quarters(expected);
        WindowRow row = stored.Row;
        ReadOnlySpan<long> day = stored.DayQuarters ?? s_none;
        bool exists = row.Stamp != 0;
        bool withMinutes = exists && row.Minutes is not null ? true : _withMinutes;
        bool sameQuarters = row.Quarters.AsSpan().SequenceEqual(quarters);
        bool sameMinutes = !withMinutes || !exists || (row.Minutes is not null && row.Minutes.AsSpan().SequenceEqual(expected));
        bool sameDay = day.SequenceEqual(quarters);
        bool uptoIsWrong = row.Upto > CountedTo || (exists && sameQuarters && row.Upto < _table.Upto(number));
        bool same = sameQuarters && sameMinutes && sameDay && !row.SetAside && !uptoIsWrong;
        if (same && !always)
        {
            return null;
        }

        CorrectionCause cause = same ? CorrectionCause.None : row.SetAside || sameQuarters ? CorrectionCause.StoreDamage : Cause(stored.Key.Series, number, quarters, row.Quarters, day, uptoIsWrong);
        string detail = string.Join(
            ", ",
            new[]
            {
                row.SetAside ? "set aside" : null,
                sameQuarters ? null : exists ? "row" : "no row",
                sameQuarters && !sameMinutes ? "minutes" : null,
                sameDay ? null : "day",
                uptoIsWrong ? "upto" : null,
                same ? "left pending" : null,
            }.OfType<string>());
        bool lowers = Above(row.Quarters, quarters) || (row.Minutes is not null && withMinutes && Above(row.Minutes, expected));
        return new WindowDifference(
            stored.Key, cause, [.. row.Quarters], quarters, withMinutes ? expected : null, row.Upto, lowers, detail)
        { Read = stored };
    }

    /// <summary>A stored window that no index names: it differs in that at least.</summary>
    public WindowDifference CompareUnlisted(StoredWindow stored)
    {
        WindowDifference difference = Compare(stored, always: true)!;
        return difference.Cause == CorrectionCause.None
            ? difference with { Cause = CorrectionCause.StoreDamage, Detail = Unlisted }
            : difference with { Detail = $"{difference.Detail}, {Unlisted}" };
    }

    /// <summary>A difference of a window (null for none that was stored) of which a row stands in another day's partition: that is what the ledger has to say of it.</summary>
    public WindowDifference WithAstray(WindowDifference? difference, WindowKey key) => difference is null
        ? new WindowDifference(key, CorrectionCause.StoreDamage, [.. s_none], [.. s_none], _withMinutes ? new long[HourTable.Minutes] : null, 0, false, Astray)
        : difference.Cause == CorrectionCause.None
            ? difference with { Cause = CorrectionCause.StoreDamage, Detail = Astray }
            : difference with { Detail = $"{difference.Detail}, {Astray}" };

    /// <summary>
    /// The windows of which the archive has clicks and the store names none, once all stored ones were compared: as if nothing was
    /// stored of them. Where every click is a repeat or was taken back, nothing should be.
    /// </summary>
    public IEnumerable<WindowDifference> Missing()
    {
        for (int number = 0; number < _table.Count; number++)
        {
            if (!_table.WasSeen(number))
            {
                yield return Difference(number);
            }
        }
    }

    /// <summary>The windows whose counts are not those of the last finalisation: what these were, per minute.</summary>
    public IEnumerable<(WindowKey Key, long[] Minutes)> Changed()
    {
        foreach (int number in _table.Different(HourView.Former))
        {
            if (_table.Difference(HourView.Former, number) is { } more)
            {
                yield return (Key(number), Sum(_table.Counts(number), more));
            }
        }
    }

    public static long[] Quarters(ReadOnlySpan<long> minutes)
    {
        long[] quarters = new long[4];
        for (int minute = 0; minute < minutes.Length; minute++)
        {
            quarters[minute / 15] += minutes[minute];
        }

        return quarters;
    }

    private const string Unlisted = "name";
    private const string Astray = "astray";
    private static readonly long[] s_none = new long[4];

    private WindowKey Key(int number) => new(_table.Series(number), _hour, _chain);

    private WindowDifference Difference(int number)
    {
        long[] expected = _table.Counts(number);
        long[] quarters = Quarters(expected);
        return new WindowDifference(
            Key(number), Cause(_table.Series(number), number, quarters, s_none, s_none), [.. s_none], quarters, _withMinutes ? expected : null, 0, false, "no row");
    }

    private CorrectionCause Cause(string series, int number, long[] expected, ReadOnlySpan<long> stored, ReadOnlySpan<long> day, bool uptoIsWrong = false)
    {
        if (_notWhole.Count > 0 && !Above(stored, expected) && SeriesName.TryParse(series, out SeriesName name) && _notWhole.Contains(name.Rollup.ToString()))
        {
            return CorrectionCause.Rebuilt;
        }

        if (Equals(HourView.BeforeTaking, number, expected, stored))
        {
            return Sum(stored) >= expected.Sum() ? CorrectionCause.Invalidated : CorrectionCause.Restored;
        }

        if (Equals(HourView.WithRepeats, number, expected, stored))
        {
            return CorrectionCause.Duplicate;
        }

        if (uptoIsWrong || !day.SequenceEqual(stored)) // a row that says it has more takes what comes for counted
        {
            return CorrectionCause.StoreDamage;
        }

        bool above = Above(stored, expected);
        bool below = Above(expected, stored);
        return above && below ? CorrectionCause.StoreDamage
            : below ? CorrectionCause.Missed
            : IsDouble(stored, expected) ? CorrectionCause.Duplicate
            : CorrectionCause.Phantom;
    }

    private bool Equals(HourView view, int number, long[] expected, ReadOnlySpan<long> stored) =>
        number >= 0 && _table.Difference(view, number) is { } more && stored.SequenceEqual(Sum(expected, Quarters(more)));

    private static bool IsDouble(ReadOnlySpan<long> stored, ReadOnlySpan<long> expected)
    {
        for (int n = 0; n < stored.Length; n++)
        {
            if (stored[n] != 2 * expected[n])
            {
                return false;
            }
        }

        return expected.ContainsAnyExcept(0L);
    }

    private static bool Above(ReadOnlySpan<long> these, ReadOnlySpan<long> those)
    {
        for (int n = 0; n < these.Length; n++)
        {
            if (these[n] > those[n])
            {
                return true;
            }
        }

        return false;
    }

    private static long[] Sum(ReadOnlySpan<long> these, ReadOnlySpan<long> those)
    {
        long[] sums = these.ToArray();
        for (int n = 0; n < sums.Length; n++)
        {
            sums[n] += those[n];
        }

        return sums;
    }

    private static long Sum(ReadOnlySpan<long> counts)
    {
        long sum = 0;
        foreach (long count in counts)
        {
            sum += count;
        }

        return sum;
    }
}
