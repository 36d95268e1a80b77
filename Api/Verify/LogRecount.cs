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
    /// <summary>About how many clicks one pass over the log holds in memory (some 500 bytes each: a click is in several windows).</summary>
    private const long ClicksPerPass = 1_000_000;

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
            VerifyResult pass = await new RecountPass(store, rules, ledger, parts, (first, last), () => Say(name)).RunAsync(cancellationToken);
            total = new VerifyResult(
                total.Counted + pass.Counted,
                total.Recounted + pass.Recounted,
                total.WindowsDiffer + pass.WindowsDiffer,
                pass.Duplicates,
                [.. total.Examples.Concat(pass.Examples).Take(RecountPass.Examples)])
            {
                NoClicks = pass.NoClicks,
                Damaged = pass.Damaged,
                WindowsLeftOut = total.WindowsLeftOut + pass.WindowsLeftOut,
                WindowsCorrected = total.WindowsCorrected + pass.WindowsCorrected,
                WindowsClickedSince = total.WindowsClickedSince + pass.WindowsClickedSince,
                Archived = total.Archived + pass.Archived,
                RepeatsDiffer = total.RepeatsDiffer + pass.RepeatsDiffer,
                HoursDiffer = total.HoursDiffer + pass.HoursDiffer,
                RepeatsElsewhere = total.RepeatsElsewhere + pass.RepeatsElsewhere,
                RepeatsOneOf = Math.Max(total.RepeatsOneOf, pass.RepeatsOneOf),
            };
        }

        return total;
    }

    private void Say(string pass)
    {
        _read++;
        if (say is not null && _time.GetElapsedTime(_said) >= s_sayEvery)
        {
            _said = _time.GetTimestamp();
            say(string.Create(CultureInfo.InvariantCulture, $"{pass}: {_read:N0} records read"));
        }
    }
}
