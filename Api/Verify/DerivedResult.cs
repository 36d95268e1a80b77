using System.Globalization;

namespace ClickAggregator.Api.Verify;

/// <summary>What the comparison of day rows and top lists with the windows found.</summary>
internal sealed class DerivedResult
{
    private const int MostExamples = 10;
    private readonly Dictionary<string, List<string>> _days = new(StringComparer.Ordinal);
    private readonly HashSet<string> _otherDays = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string First, long More)> _lists = new(StringComparer.Ordinal);
    private readonly Dictionary<int, (long Rows, List<string> Examples)> _foreign = [];
    private readonly List<string> _astray = [];
    private readonly List<string> _unnamed = [];
    private readonly List<string> _unmarked = [];
    private readonly List<string> _floors = [];

    /// <summary>Day rows (series, day, chain) of which an hour is not as its window.</summary>
    public long DaysDiffer { get; private set; }

    /// <summary>Top lists (kind, hour or day, chain) that are not as the clicks of their targets.</summary>
    public long ListsDiffer => _lists.Count;

    /// <summary>Rows of chains that there are not.</summary>
    public long Foreign => _foreign.Values.Sum(chain => chain.Rows);

    /// <summary>Rows of windows in the partition of another day than their hour's.</summary>
    public long Astray { get; private set; }

    /// <summary>Windows that no index names.</summary>
    public long Unnamed { get; private set; }

    /// <summary>Hours of chains with clicks that are not noted as such.</summary>
    public long Unmarked { get; private set; }

    /// <summary>
    /// Top lists whose floor is higher than it need be: somebody raised it, or a correction lowered a target while others were clicked. What
    /// a list says is true all the same, only rankings ask for more of it.
    /// </summary>
    public long Floors { get; private set; }

    /// <summary>Hours and places that are ahead by a batch which is under way, and stands still: they are left out.</summary>
    public long UnderWay { get; set; }

    /// <summary>Hours and places that were written each time they were looked at: they are left out.</summary>
    public long Changing { get; set; }

    public bool Agrees => DaysDiffer == 0 && ListsDiffer == 0 && Foreign == 0 && Astray == 0 && Unnamed == 0 && Unmarked == 0;

    /// <summary>The first that differ, in words.</summary>
    public IEnumerable<string> Examples =>
    [
        .. _days.Select(day => $"{day.Key}: {string.Join(", ", day.Value)} (the day row less its hours)"),
        .. More(DaysDiffer, _days.Count, "day rows"),
        .. _lists.Take(MostExamples).Select(list => string.Create(
            CultureInfo.InvariantCulture, $"{list.Key}: {list.Value.First}{(list.Value.More > 0 ? $"; {list.Value.More:N0} more" : "")}")),
        .. More(ListsDiffer, MostExamples, "top lists"),
        .. _foreign.SelectMany(chain => chain.Value.Examples.Select(
            what => string.Create(CultureInfo.InvariantCulture, $"{what} chain {chain.Key}: there is no such chain"))).Take(MostExamples),
        .. More(Foreign, MostExamples, "rows of no chain"),
        .. _astray.Select(window => $"{window}: a row of it stands in the partition of another day, where no answer looks (clicks_by_hour)"),
        .. More(Astray, _astray.Count, "rows in another day"),
        .. _unnamed.Select(window => $"{window}: no index names it (series_by_day), so that it is in no list of series"),
        .. More(Unnamed, _unnamed.Count, "windows without a name"),
        .. _unmarked.Select(hour => $"{hour}: it has clicks, and no mark (hours), so that no run comes to it by itself"),
        .. More(Unmarked, _unmarked.Count, "hours without a mark"),
    ];

    /// <summary>An hour of a day row differs. All of one row are to be given before <see cref="EndPart"/>.</summary>
    public void NoteDay(string row, string hour)
    {
        if (_days.TryGetValue(row, out List<string>? hours))
        {
            hours.Add(hour);
        }
        else if (_days.Count < MostExamples)
        {
            _days.Add(row, [hour]);
            DaysDiffer++;
        }
        else if (_otherDays.Add(row))
        {
            DaysDiffer++;
        }
    }

    /// <summary>The rows that follow are others.</summary>
    public void EndPart() => _otherDays.Clear();

    /// <summary>A place of a list differs.</summary>
    public void NoteList(string list, string what) =>
        _lists[list] = _lists.TryGetValue(list, out (string First, long More) known) ? (known.First, known.More + 1) : (what, 0);

    /// <summary>A row is of a chain that was not known.</summary>
    public void NoteForeign(int chain, string what)
    {
        (long rows, List<string> examples) = _foreign.GetValueOrDefault(chain, (0, []));
        if (examples.Count < MostExamples)
        {
            examples.Add(what);
        }

        _foreign[chain] = (rows + 1, examples);
    }

    /// <summary>A row of a window stands in another day.</summary>
    public void NoteAstray(string window)
    {
        Astray++;
        Keep(_astray, window);
    }

    /// <summary>A window has no name.</summary>
    public void NoteUnnamed(string window)
    {
        Unnamed++;
        Keep(_unnamed, window);
    }

    /// <summary>An hour of a chain has clicks, and no mark.</summary>
    public void NoteUnmarked(string hour)
    {
        Unmarked++;
        Keep(_unmarked, hour);
    }

    /// <summary>A floor is higher than it need be.</summary>
    public void NoteFloor(string list)
    {
        Floors++;
        Keep(_floors, list);
    }

    /// <summary>Chains that there are: some may have been taken up meanwhile.</summary>
    public void KnowChains(IReadOnlySet<int> chains)
    {
        foreach (int chain in _foreign.Keys.Where(chains.Contains).ToList())
        {
            _foreign.Remove(chain);
        }
    }

    /// <summary>Of the floors that are higher than they need be, the first; they make nothing differ.</summary>
    public IEnumerable<string> FloorExamples => _floors;

    /// <summary>One line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{DaysDiffer:N0} day rows and {ListsDiffer:N0} top lists differ from the windows{(Foreign > 0 ? $", and {Foreign:N0} rows are of no chain" : "")}{(Astray > 0 ? $", and {Astray:N0} rows of windows are in another day than their hour's" : "")}{(Unnamed > 0 ? $", and {Unnamed:N0} windows have no name in series_by_day" : "")}{(Unmarked > 0 ? $", and {Unmarked:N0} hours with clicks have no mark in hours" : "")}");

    /// <summary>That there are others than those that are shown.</summary>
    private static IEnumerable<string> More(long all, long shown, string what) =>
        all > shown ? [string.Create(CultureInfo.InvariantCulture, $"and {all - shown:N0} more {what}")] : [];

    private static void Keep(List<string> examples, string one)
    {
        if (examples.Count < MostExamples)
        {
            examples.Add(one);
        }
    }
}
