using System.Globalization;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// Counts logs again, with dictionaries and no more, and holds the store against them, window by window. It shares no
/// counting code with the grains: it is what they are checked by.
/// </summary>
/// <remarks>
/// Clicks may arrive meanwhile. A window is compared as of the batch it last applied (its <c>upto</c>), or as of the
/// offset that its whole partition had reached before the rows were read, whichever is later: every click below that
/// has been counted, and none above. Memory is bounded by working through the hours in passes of about
/// <see cref="ClicksPerPass"/> clicks.
/// Hours whose clicks the log has removed are recounted from the archive. There the marks say which clicks are repeats, and they are
/// held against the ids of what is read with them (<see cref="MarkedRepeats"/>).
/// A window that reconciliation has corrected is not what the log by itself says: clicks were taken back, or repeats were found that
/// are further apart than the stream remembers. It is held against the ledger, with what came since on top of that.
/// </remarks>
internal sealed class LogRecount(
    ICountReader store, RecountRules rules, Action<string>? say = null, TimeProvider? time = null, ILedgerStore? ledger = null)
{
    /// <summary>Corrections of one window that are looked at.</summary>
    private const int MostCorrections = 1000;

    /// <summary>About how many clicks one pass over the log holds in memory (some 500 bytes each: a click is in several windows).</summary>
    private const long ClicksPerPass = 1_000_000;

    private const int Examples = 10;

    /// <summary>In place of a cell: the whole window.</summary>
    private const int Ledger = -2;
    private static readonly TimeSpan s_sayEvery = TimeSpan.FromSeconds(5);
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _said;
    private long _read;

    /// <summary>Recounts what the parts have counted; windows of other chains are left out.</summary>
    /// <param name="parts">What is recounted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="fromHour">The first hour that is looked at.</param>
    /// <param name="toHour">The one behind the last.</param>
    public async Task<VerifyResult> RunAsync(
        IReadOnlyList<RecountPart> parts, CancellationToken cancellationToken, int fromHour = int.MinValue, int toHour = int.MaxValue)
    {
        _said = _time.GetTimestamp();
        int asked = fromHour;
        fromHour = Math.Max(fromHour, rules.FirstKeptHour(_time.GetUtcNow())); // the archive knows older hours, which the store forgets
        long forgotten = 0;
        var rows = new SortedDictionary<int, long>();
        await foreach ((WindowKey key, WindowRow row) in store.ScanWindowsAsync(cancellationToken))
        {
            forgotten += key.Hour >= asked && key.Hour < fromHour ? 1 : 0;
            if (key.Hour >= fromHour && key.Hour < toHour)
            {
                rows[key.Hour] = rows.GetValueOrDefault(key.Hour) + (key.Series == "total" && !row.IsAstray ? row.Clicks : 0);
            }
        }

        // Hours that only the log knows belong to the pass of the stored hour before them, or to the first.
        var passes = new List<(int From, int To)>();
        int from = fromHour;
        long held = 0;
        foreach ((int hour, long clicks) in rows)
        {
            if (held > 0 && held + clicks > ClicksPerPass)
            {
                passes.Add((from, hour));
                (from, held) = (hour, 0);
            }

            held += clicks;
        }

        if (from < toHour)
        {
            passes.Add((from, toHour));
        }

        var total = new VerifyResult(0, 0, 0, 0, []) { WindowsLeftOut = forgotten };
        for (int n = 0; n < passes.Count; n++)
        {
            (int first, int last) = passes[n];
            string name = string.Create(CultureInfo.InvariantCulture, $"pass {n + 1} of {passes.Count}");
            VerifyResult pass = await PassAsync(name, parts, first, last, cancellationToken);
            total = new VerifyResult(
                total.Counted + pass.Counted,
                total.Recounted + pass.Recounted,
                total.WindowsDiffer + pass.WindowsDiffer,
                pass.Duplicates,
                [.. total.Examples.Concat(pass.Examples).Take(Examples)])
            {
                NoClicks = pass.NoClicks,
                Damaged = pass.Damaged,
                WindowsLeftOut = total.WindowsLeftOut + pass.WindowsLeftOut,
                WindowsCorrected = total.WindowsCorrected + pass.WindowsCorrected,
                WindowsClickedSince = total.WindowsClickedSince + pass.WindowsClickedSince,
                Archived = total.Archived + pass.Archived,
                RepeatsDiffer = total.RepeatsDiffer + pass.RepeatsDiffer,
                RepeatsElsewhere = total.RepeatsElsewhere + pass.RepeatsElsewhere,
                RepeatsOneOf = Math.Max(total.RepeatsOneOf, pass.RepeatsOneOf),
            };
        }

        return total;
    }

    private async Task<VerifyResult> PassAsync(
        string name, IReadOnlyList<RecountPart> parts, int fromHour, int toHour, CancellationToken cancellationToken)
    {
        // Stored minus recounted, per minute of a window; what agrees is removed, so what is left differs.
        var cells = new Dictionary<(string Series, int Hour, int Chain, int Cell), long>();
        var uptos = new Dictionary<(string Series, int Hour, int Chain), Stored>();
        Dictionary<int, RecountPart> chains = parts.ToDictionary(part => part.Chain);
        var corrected = new HashSet<(string Series, int Hour, int Chain)>();
        long counted = 0;
        long recounted = 0;
        long leftOut = 0;
        long clickedSince = 0;
        await foreach ((WindowKey key, WindowRow row) in store.ScanWindowsAsync(cancellationToken))
        {
            if (row.IsAstray || key.Hour < fromHour || key.Hour >= toHour || !chains.TryGetValue(key.Chain, out RecountPart? of))
            {
                continue;
            }

            if ((key.Hour < of.FirstHour && of.Archive is null) || rules.LeavesOut(key.Series, key.Hour))
            {
                leftOut++;
                continue;
            }

            if (row.Run is not null && ledger is not null && await CorrectedAsync(ledger, key, cancellationToken) is { } correction)
            {
                corrected.Add((key.Series, key.Hour, key.Chain));
                counted += key.Series == "total" ? row.Clicks : 0;
                recounted += key.Series == "total" ? correction.After.Sum() : 0;
                if (row.Upto > correction.Upto)
                {
                    clickedSince++;
                    uptos[(key.Series, key.Hour, key.Chain)] = new Stored(row.Upto, Coarse: true, correction.Upto);
                    for (int cell = 0; cell < row.Quarters.Length; cell++)
                    {
                        Add(cells, (key.Series, key.Hour, key.Chain, cell), row.Quarters[cell] - correction.After[cell]);
                    }
                }
                else if (!row.Quarters.AsSpan().SequenceEqual(correction.After))
                {
                    long more = row.Clicks - correction.After.Sum();
                    Add(cells, (key.Series, key.Hour, key.Chain, Ledger), more == 0 ? 1 : more);
                }

                continue;
            }

            uptos[(key.Series, key.Hour, key.Chain)] = new Stored(row.Upto, row.Minutes is null, long.MinValue);
            counted += key.Series == "total" ? row.Clicks : 0;
            long[] counts = row.Minutes ?? row.Quarters;
            for (int cell = 0; cell < counts.Length; cell++)
            {
                Add(cells, (key.Series, key.Hour, key.Chain, cell), counts[cell]);
            }

            long[] sums = row.Minutes is null ? row.Quarters : Quarters(row.Minutes);
            if (!sums.AsSpan().SequenceEqual(row.Quarters))
            {
                Add(cells, (key.Series, key.Hour, key.Chain, -1), 1); // minutes and quarters of one row disagree
            }
        }

        long duplicates = 0;
        long noClicks = 0;
        long damaged = 0;
        long archived = 0;
        long elsewhere = 0;
        var unmarked = new List<string>();
        long repeatsDiffer = 0;
        uint oneOf = 1;
        foreach (RecountPart part in parts)
        {
            if (part.Archive is not null && part.FirstHour > fromHour)
            {
                var repeats = new MarkedRepeats(rules.Horizon, rules.MaxIds);
                await part.Archive.ReadAsync(
                    fromHour, Math.Min(toHour, part.FirstHour), (offset, logTime, isMarked, click) => CountArchived(part, repeats, offset, logTime, isMarked, click), cancellationToken);
                foreach ((long first, long repeat) in repeats.FindUnmarked())
                {
                    repeatsDiffer++;
                    if (unmarked.Count < Examples)
                    {
                        unmarked.Add(string.Create(CultureInfo.InvariantCulture, $"archive of chain {part.Chain}: the click at offset {repeat} repeats the one at {first}, and is not marked so"));
                    }
                }

                elsewhere += repeats.Elsewhere;
                oneOf = Math.Max(oneOf, repeats.OneOf);
            }

            (long start, long end) = await part.Log.RangeAsync(part.Partition, cancellationToken);
            var seen = new RecountedIds(rules.Horizon, rules.MaxIds);
            await part.Log.ReadAsync(part.Partition, start, Math.Min(end, part.ReadTo), (offset, logTime, value) => Count(part, seen, offset, logTime, value), cancellationToken);
            duplicates += seen.Duplicates;
        }

        void Count(RecountPart of, RecountedIds seen, long offset, long logTime, byte[]? value)
        {
            Say(name);
            if (value is null)
            {
                damaged++;
                return;
            }

            if (RecountedClick.Read(value, logTime) is not { } click)
            {
                noClicks++;
                return;
            }

            if (seen.Repeats(click, logTime) || rules.Expires(click.Time, logTime))
            {
                return;
            }

            int hour = click.Hour;
            if (hour < fromHour || hour >= toHour || (hour < of.FirstHour && (of.Archive is null || offset < of.Archive.Upto)))
            {
                return;
            }

            TakeOff(of, offset, click);
        }

        void CountArchived(RecountPart of, MarkedRepeats repeats, long offset, long logTime, bool isMarked, RecountedClick click)
        {
            Say(name);
            archived++;
            repeats.Note(click, offset, logTime, isMarked);
            if (!isMarked && !rules.Expires(click.Time, logTime))
            {
                TakeOff(of, offset, click);
            }
        }

        void TakeOff(RecountPart of, long offset, RecountedClick click)
        {
            int hour = click.Hour;
            int minute = (int)((click.Time / 60_000) - (hour * 60L));
            foreach (string series in rules.SeriesOf(click, hour))
            {
                bool known = uptos.TryGetValue((series, hour, of.Chain), out Stored stored);
                if (known ? offset < stored.Since : corrected.Contains((series, hour, of.Chain)))
                {
                    continue; // the ledger says it
                }

                if (offset < Math.Max(of.Next, known ? stored.Upto : 0))
                {
                    recounted += series == "total" ? 1 : 0;
                    Add(cells, (series, hour, of.Chain, known && stored.Coarse ? minute / 15 : minute), -1);
                }
            }
        }

        var wrong = cells.GroupBy(cell => (cell.Key.Series, cell.Key.Hour, cell.Key.Chain)).ToList();
        string[] examples = [.. wrong.Take(Examples).Select(window => string.Create(
            CultureInfo.InvariantCulture,
            $"{window.Key.Series} hour {DateTimeOffset.FromUnixTimeSeconds(window.Key.Hour * 3600L):yyyy-MM-ddTHH}Z chain {window.Key.Chain}: {string.Join(", ", window.Select(cell => $"{Name(cell.Key.Cell)} {cell.Value:+0;-0}"))}"))];
        return new VerifyResult(counted, recounted, wrong.Count, duplicates, [.. examples, .. unmarked])
        {
            NoClicks = noClicks,
            Damaged = damaged,
            WindowsLeftOut = leftOut,
            WindowsCorrected = corrected.Count,
            WindowsClickedSince = clickedSince,
            Archived = archived,
            RepeatsDiffer = repeatsDiffer,
            RepeatsElsewhere = elsewhere,
            RepeatsOneOf = oneOf,
        };
    }

    /// <summary>The correction that a window holds; null where the ledger has none.</summary>
    private static async Task<CorrectionRow?> CorrectedAsync(ILedgerStore ledger, WindowKey key, CancellationToken cancellationToken) =>
        (await ledger.ReadCorrectionsOfAsync(key.Series, key.Hour, key.Hour + 1, null, MostCorrections, cancellationToken))
        .LastOrDefault(row => row.Key == key && row.State is CorrectionState.Settled or CorrectionState.Pending);

    private static string Name(int cell) => cell switch
    {
        Ledger => "against the ledger",
        < 0 => "minutes against quarters",
        _ => string.Create(CultureInfo.InvariantCulture, $"cell {cell}"),
    };

    private void Say(string pass)
    {
        _read++;
        if (say is not null && _time.GetElapsedTime(_said) >= s_sayEvery)
        {
            _said = _time.GetTimestamp();
            say(string.Create(CultureInfo.InvariantCulture, $"{pass}: {_read:N0} records read"));
        }
    }

    private static long[] Quarters(long[] minutes) =>
        [.. Enumerable.Range(0, 4).Select(quarter => minutes.AsSpan(quarter * 15, 15).ToArray().Sum())];

    private static void Add<TKey>(Dictionary<TKey, long> cells, TKey key, long change)
        where TKey : notnull
    {
        long now = cells.GetValueOrDefault(key) + change;
        if (now == 0)
        {
            cells.Remove(key);
        }
        else
        {
            cells[key] = now;
        }
    }

    /// <summary>What a window's clicks are held against: those from an offset on, to where it applied its last batch.</summary>
    private readonly record struct Stored(long Upto, bool Coarse, long Since);
}
