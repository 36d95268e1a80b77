using System.Globalization;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Api.Verify;

/// <summary>One pass of <see cref="LogRecount"/>: some hours of the store, and the clicks of these hours.</summary>
/// <param name="store">What is held against the logs.</param>
/// <param name="rules">How they are counted.</param>
/// <param name="ledger">What reconciliation has corrected, and the marks of hours; null for none.</param>
/// <param name="parts">What is recounted.</param>
/// <param name="hours">From the first to before the second.</param>
/// <param name="read">Hears of each click that was read.</param>
internal sealed class RecountPass(
    ICountReader store, RecountRules rules, ILedgerStore? ledger, IReadOnlyList<RecountPart> parts, (int From, int To) hours, Action read)
{
    public const int Examples = 10;

    /// <summary>Corrections of one window that are looked at.</summary>
    private const int MostCorrections = 1000;

    // In place of a cell.
    private const int Sums = -1;
    private const int Ledger = -2;
    private const int Behind = -3;
    private const int Ahead = -4;

    // Stored minus recounted, per minute of a window; what agrees is removed, so what is left differs.
    private readonly Dictionary<(string Series, int Hour, int Chain, int Cell), long> _cells = [];
    private readonly Dictionary<(string Series, int Hour, int Chain), Stored> _stored = [];
    private readonly Dictionary<(int Hour, int Chain), long> _marks = [];
    private readonly Dictionary<(int Hour, int Chain), long> _last = [];
    private readonly Dictionary<int, long> _ends = [];
    private readonly List<string> _unmarked = [];
    private long _counted;
    private long _recounted;
    private long _leftOut;
    private long _corrected;
    private long _clickedSince;
    private long _duplicates;
    private long _noClicks;
    private long _damaged;
    private long _archived;
    private long _repeatsElsewhere;
    private long _repeatsDiffer;
    private uint _repeatsOneOf = 1;

    public async Task<VerifyResult> RunAsync(CancellationToken cancellationToken)
    {
        await ReadStoreAsync(cancellationToken);
        foreach (RecountPart part in parts)
        {
            await ReadArchiveAsync(part, cancellationToken);
            await ReadLogAsync(part, cancellationToken);
        }

        foreach (((string series, int hour, int chain), Stored row) in _stored)
        {
            if (row.Upto > _ends.GetValueOrDefault(chain, long.MaxValue))
            {
                Add((series, hour, chain, Ahead), row.Upto - _ends[chain]);
            }
        }

        string[] wrongHours = [.. _marks.Select(WrongHour).OfType<string>()];
        var wrong = _cells.GroupBy(cell => (cell.Key.Series, cell.Key.Hour, cell.Key.Chain)).ToList();
        string[] examples = [.. wrong.Take(Examples).Select(window => string.Create(
            CultureInfo.InvariantCulture,
            $"{window.Key.Series} hour {Time(window.Key.Hour)} chain {window.Key.Chain}: {string.Join(", ", window.Select(cell => $"{Name(cell.Key.Cell)} {cell.Value:+0;-0}"))}"))];
        return new VerifyResult(_counted, _recounted, wrong.Count, _duplicates, [.. examples, .. _unmarked, .. wrongHours.Take(Examples)])
        {
            NoClicks = _noClicks,
            Damaged = _damaged,
            WindowsLeftOut = _leftOut,
            WindowsCorrected = _corrected,
            WindowsClickedSince = _clickedSince,
            Archived = _archived,
            RepeatsDiffer = _repeatsDiffer,
            RepeatsElsewhere = _repeatsElsewhere,
            RepeatsOneOf = _repeatsOneOf,
            HoursDiffer = wrongHours.Length,
        };
    }

    private async Task ReadStoreAsync(CancellationToken cancellationToken)
    {
        Dictionary<int, RecountPart> chains = parts.ToDictionary(part => part.Chain);
        await foreach ((WindowKey key, WindowRow row) in store.ScanWindowsAsync(cancellationToken))
        {
            if (row.IsAstray || key.Hour < hours.From || key.Hour >= hours.To || !chains.TryGetValue(key.Chain, out RecountPart? of))
            {
                continue;
            }

            if ((key.Hour < of.FirstHour && of.Archive is null) || rules.LeavesOut(key.Series, key.Hour))
            {
                _leftOut++;
                continue;
            }

            CorrectionRow? correction = row.Run is null ? null : await CorrectionAsync(key, cancellationToken);
            _counted += key.Series == "total" ? row.Clicks : 0;
            if (correction is null)
            {
                Take(key, row);
            }
            else
            {
                TakeCorrected(key, row, correction);
            }
        }

        // Before the ends of the logs, which no mark reaches beyond; and behind the progress of the parts, up to which every hour is marked.
        foreach (HourMark mark in ledger is null ? [] : await ledger.ReadHoursAsync(hours.From, hours.To, cancellationToken))
        {
            _marks[(mark.Hour, mark.Chain)] = mark.Upto;
        }
    }

    private void Take(WindowKey key, WindowRow row)
    {
        _stored[(key.Series, key.Hour, key.Chain)] = new Stored(row.Upto, row.Minutes is null, long.MinValue);
        long[] counts = row.Minutes ?? row.Quarters;
        for (int cell = 0; cell < counts.Length; cell++)
        {
            Add((key.Series, key.Hour, key.Chain, cell), counts[cell]);
        }

        if (row.Minutes is not null && !Quarters(row.Minutes).AsSpan().SequenceEqual(row.Quarters))
        {
            Add((key.Series, key.Hour, key.Chain, Sums), 1);
        }
    }

    /// <summary>Of the clicks below the correction's offset the ledger says what they come to.</summary>
    private void TakeCorrected(WindowKey key, WindowRow row, CorrectionRow correction)
    {
        bool isClicked = row.Upto > correction.Upto;
        _stored[(key.Series, key.Hour, key.Chain)] = new Stored(row.Upto, Coarse: true, isClicked ? correction.Upto : long.MaxValue);
        _corrected++;
        _clickedSince += isClicked ? 1 : 0;
        _recounted += key.Series == "total" ? correction.After.Sum() : 0;
        if (isClicked)
        {
            for (int cell = 0; cell < row.Quarters.Length; cell++)
            {
                Add((key.Series, key.Hour, key.Chain, cell), row.Quarters[cell] - correction.After[cell]);
            }
        }
        else if (!row.Quarters.AsSpan().SequenceEqual(correction.After))
        {
            long more = row.Clicks - correction.After.Sum();
            Add((key.Series, key.Hour, key.Chain, Ledger), more == 0 ? 1 : more);
        }
    }

    private async Task ReadArchiveAsync(RecountPart part, CancellationToken cancellationToken)
    {
        if (part.Archive is null || part.FirstHour <= hours.From)
        {
            return;
        }

        var repeats = new MarkedRepeats(rules.Horizon, rules.MaxIds);
        await part.Archive.ReadAsync(
            hours.From,
            Math.Min(hours.To, part.FirstHour),
            (offset, logTime, isMarked, click) =>
            {
                read();
                _archived++;
                repeats.Note(click, offset, logTime, isMarked);
                if (!isMarked && !rules.Expires(click.Time, logTime))
                {
                    TakeOff(part, offset, click);
                }
            },
            cancellationToken);
        foreach ((long first, long repeat) in repeats.FindUnmarked())
        {
            _repeatsDiffer++;
            if (_unmarked.Count < Examples)
            {
                _unmarked.Add(string.Create(CultureInfo.InvariantCulture, $"archive of chain {part.Chain}: the click at offset {repeat} repeats the one at {first}, and is not marked so"));
            }
        }

        _repeatsElsewhere += repeats.Elsewhere;
        _repeatsOneOf = Math.Max(_repeatsOneOf, repeats.OneOf);
    }

    private async Task ReadLogAsync(RecountPart part, CancellationToken cancellationToken)
    {
        (long start, long end) = await part.Log.RangeAsync(part.Partition, cancellationToken);
        _ends[part.Chain] = part.ReadTo == long.MaxValue ? Math.Max(end, part.Next) : part.Next;
        var seen = new RecountedIds(rules.Horizon, rules.MaxIds);
        await part.Log.ReadAsync(
            part.Partition,
            start,
            Math.Min(end, part.ReadTo),
            (offset, logTime, value) =>
            {
                read();
                if (value is null)
                {
                    _damaged++;
                }
                else if (RecountedClick.Read(value, logTime) is not { } click)
                {
                    _noClicks++;
                }
                else if (!seen.Repeats(click, logTime) && !rules.Expires(click.Time, logTime)
                    && click.Hour >= hours.From && click.Hour < hours.To
                    && (click.Hour >= part.FirstHour || (part.Archive is not null && offset >= part.Archive.Upto)))
                {
                    TakeOff(part, offset, click);
                }
            },
            cancellationToken);
        _duplicates += seen.Duplicates;
    }

    private void TakeOff(RecountPart of, long offset, RecountedClick click)
    {
        int hour = click.Hour;
        int minute = (int)((click.Time / 60_000) - (hour * 60L));
        bool isCounted = offset < of.Next;
        foreach (string series in rules.SeriesOf(click, hour))
        {
            bool known = _stored.TryGetValue((series, hour, of.Chain), out Stored stored);
            if (isCounted)
            {
                _last[(hour, of.Chain)] = Math.Max(_last.GetValueOrDefault((hour, of.Chain)), offset);
                if (known && offset >= stored.Upto)
                {
                    Add((series, hour, of.Chain, Behind), 1); // whether it is in the counts or not: the row says that it is not
                }
            }

            if ((!known || offset >= stored.Since) && (isCounted || (known && offset < stored.Upto)))
            {
                _recounted += series == "total" ? 1 : 0;
                Add((series, hour, of.Chain, known && stored.Coarse ? minute / 15 : minute), -1);
            }
        }
    }

    /// <summary>What is wrong with an hour's mark; null for nothing. Hours without one are found by <see cref="DerivedRows"/>.</summary>
    private string? WrongHour(KeyValuePair<(int Hour, int Chain), long> mark)
    {
        string? wrong = _last.TryGetValue(mark.Key, out long last) && mark.Value <= last ? $"and it has a click at {last}"
            : _ends.TryGetValue(mark.Key.Chain, out long end) && mark.Value > end ? $"and the log ends at {end}"
            : null;
        return wrong is null
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"hour {Time(mark.Key.Hour)} chain {mark.Key.Chain}: its mark (hours) says that its clicks end at offset {mark.Value}, {wrong}");
    }

    /// <summary>The correction that a window holds; null where the ledger has none.</summary>
    private async Task<CorrectionRow?> CorrectionAsync(WindowKey key, CancellationToken cancellationToken) => ledger is null
        ? null
        : (await ledger.ReadCorrectionsOfAsync(key.Series, key.Hour, key.Hour + 1, null, MostCorrections, cancellationToken))
            .LastOrDefault(row => row.Key == key && row.State is CorrectionState.Settled or CorrectionState.Pending);

    private static string Name(int cell) => cell switch
    {
        Ahead => "its upto beyond the end of the log",
        Behind => "counted clicks behind its upto",
        Ledger => "against the ledger",
        Sums => "minutes against quarters",
        _ => string.Create(CultureInfo.InvariantCulture, $"cell {cell}"),
    };

    private static string Time(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L).ToString("yyyy-MM-dd'T'HH'Z'", CultureInfo.InvariantCulture);

    private static long[] Quarters(long[] minutes) =>
        [.. Enumerable.Range(0, 4).Select(quarter => minutes.AsSpan(quarter * 15, 15).ToArray().Sum())];

    private void Add((string Series, int Hour, int Chain, int Cell) key, long change)
    {
        long now = _cells.GetValueOrDefault(key) + change;
        if (now == 0)
        {
            _cells.Remove(key);
        }
        else
        {
            _cells[key] = now;
        }
    }

    /// <summary>What a window's clicks are held against: those from an offset on, to where it applied its last batch.</summary>
    private readonly record struct Stored(long Upto, bool Coarse, long Since);
}
