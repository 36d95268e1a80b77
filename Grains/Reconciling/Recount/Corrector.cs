using System.Globalization;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Sends differences through their partition, in chunks: the ledger has each as pending before the window is touched, and as
/// settled (or dropped) once the window was read back. So a correction that nobody wrote down does not exist; and what a run that
/// died left pending, or called dropped wrongly, is decided by the run that the window's row carries. Not safe for concurrent use.
/// </summary>
internal sealed class Corrector(
    RecountRequest request, RecountPorts ports, RecountRules rules, CountedChain counted, long upto)
{
    private const int LedgerPage = 1000;

    /// <summary>So many windows are remembered that were corrected for their counts: more than lists hold targets.</summary>
    private const int MostTaken = 100_000;

    private readonly List<WindowDifference> _waiting = [];
    private readonly Dictionary<string, List<CorrectionRow>> _left = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<CorrectionRow>> _dropped = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CorrectionRow[]> _undecided = new(StringComparer.Ordinal);
    private readonly List<CorrectionRow> _resolved = [];
    private readonly Dictionary<string, CorrectionRow> _earlier = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WindowDifference> _taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RollupChange> _changes = new(StringComparer.Ordinal);
    private long _later;
    private (string Code, string Message)? _again;

    /// <summary>Why the archive may have fewer clicks of the hour than were counted; null where it has all. Then nothing is lowered.</summary>
    public string? Incomplete { get; set; }

    /// <summary>The hour is final: it is opened before anything of it changes.</summary>
    public bool MustReopen { get; set; }

    /// <summary>It was.</summary>
    public bool Reopened { get; private set; }

    /// <summary>Windows that were corrected, or would have been by a dry run.</summary>
    public long Done { get; private set; }

    /// <summary>Clicks of <c>total</c> after less before.</summary>
    public long ClicksChanged { get; private set; }

    /// <summary>What changed of the series of each rollup; there are few.</summary>
    public IReadOnlyList<RollupChange> Changes => [.. _changes.Values];

    /// <summary>Why the hour cannot be as the archive has it; null where it is.</summary>
    public (string Code, string Message)? Refused { get; private set; }

    /// <summary>Whether it changes anything.</summary>
    public bool Mends => !request.DryRun && counted.IsCorrected;

    /// <summary>Whether it would change something, and nothing so far.</summary>
    public bool IsDryAndUntouched => request.DryRun && Done == 0 && _waiting.Count == 0;

    /// <summary>Hears of each correction that was done.</summary>
    public Action<CorrectionCause>? Settled { get; init; }

    /// <summary>
    /// Reads what runs left pending, once nothing more of theirs reaches the windows from the partition; false where that cannot
    /// be said now.
    /// </summary>
    public async Task<bool> LoadAsync(CancellationToken cancellationToken)
    {
        if (request.DryRun)
        {
            return true;
        }

        await ReadLeftAsync(cancellationToken);
        return _left.Count == 0 || !counted.IsCorrected
            || await ports.Chains.FenceAsync(request.Chain, request.Order, cancellationToken);
    }

    private async Task ReadLeftAsync(CancellationToken cancellationToken)
    {
        CorrectionRow? after = null;
        while (true)
        {
            IReadOnlyList<CorrectionRow> page = await ports.Ledger.ReadCorrectionsAsync(request.Hour, after, LedgerPage, cancellationToken);
            foreach (CorrectionRow row in page)
            {
                if (row.State == CorrectionState.Settled && row.Key.Chain == request.Chain && row.Run == request.Run)
                {
                    NoteEarlier(row);
                }
                else if (row.State is CorrectionState.Pending or CorrectionState.Dropped && row.Key.Chain == request.Chain && row.Run <= request.Run)
                {
                    Dictionary<string, List<CorrectionRow>> kept = row.State == CorrectionState.Pending ? _left : _dropped;
                    if (!kept.TryGetValue(row.Key.Series, out List<CorrectionRow>? rows))
                    {
                        kept[row.Key.Series] = rows = [];
                    }

                    rows.Add(row);
                }
            }

            if (page.Count < LedgerPage)
            {
                return;
            }

            after = page[^1];
        }
    }

    /// <summary>
    /// Decides what runs left pending of a window, by what its row carries. Answers whether one may be on its way from the
    /// partition to the window still: then the window is written again, whatever it holds, under a later stamp, and what was left
    /// is dropped once that is done.
    /// </summary>
    public bool Resolve(string series, string? stored)
    {
        if (_dropped.Remove(series, out List<CorrectionRow>? dropped))
        {
            // It was done by a later try, and what an earlier one wrote down of it came after that: by a clock ahead, or late.
            Settle(dropped.Where(row => RecountRequest.IsNameOf(stored, row.Run)));
        }

        if (!_left.Remove(series, out List<CorrectionRow>? rows))
        {
            return false;
        }

        ILookup<bool, CorrectionRow> carried = rows.ToLookup(row => RecountRequest.IsNameOf(stored, row.Run));
        Settle(carried[true]);
        if (!Mends || !carried[false].Any())
        {
            // A chain that is counted no more writes nothing more.
            _resolved.AddRange(carried[false].Select(row => row with { State = CorrectionState.Dropped }));
            return false;
        }

        _undecided[series] = [.. carried[false]];
        return true;
    }

    /// <summary>Takes a difference; it is corrected with the next ones, where it is one still.</summary>
    public async Task TakeAsync(WindowDifference difference, CancellationToken cancellationToken)
    {
        if (difference.Detail == "minutes" && request.Hour < await ports.Counts.ReadMinutesFloorAsync(cancellationToken))
        {
            return; // their time ended while they were compared
        }

        _waiting.Add(difference);
        if (_waiting.Count == rules.Chunk)
        {
            await FlushAsync(cancellationToken);
        }
    }

    /// <summary>Corrects what waits.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await WriteResolvedAsync(cancellationToken);
        if (_waiting.Count == 0)
        {
            return;
        }

        WindowDifference[] waiting = [.. _waiting];
        _waiting.Clear();
        WindowDifference[] chunk = [.. (await ConfirmAsync(waiting, cancellationToken)).Select(Joined).OfType<WindowDifference>()];
        if (chunk.Length == 0)
        {
            return;
        }

        long now = ports.Time.GetUtcNow().ToUnixTimeMilliseconds();
        CorrectionRow[] rows = [.. chunk.Select(difference => new CorrectionRow(
            request.Run, difference.Key, difference.Cause, request.DryRun ? CorrectionState.Dry : CorrectionState.Pending,
            difference.FoundAtFirst ?? difference.Before, difference.After, upto, now, Detail(difference)))];
        if (request.DryRun)
        {
            await ports.Ledger.WriteCorrectionsAsync(rows, cancellationToken);
            Array.ForEach(chunk, Count);
            return;
        }

        if (!counted.IsCorrected)
        {
            Refused ??= ("chain_over", $"{chunk[0].Key} differs from the archive, and chain {request.Chain} is counted no more: {counted.Detail}");
            return;
        }

        await ReopenAsync(cancellationToken);
        await ports.Ledger.WriteCorrectionsAsync(rows, cancellationToken);
        IReadOnlyList<WindowOutcome>? outcomes = await ports.Chains.CorrectAsync(
            request.Chain,
            [.. chunk.Select(difference => new WindowRecount(
                difference.Key.Series, difference.Key.Hour, request.Name, upto, difference.Minutes, difference.After, request.Order,
                difference.MarksHour, difference.HourFloor, difference.DayFloor))],
            cancellationToken);
        if (outcomes is null)
        {
            _again ??= NotCounted;
        }

        for (int n = 0; n < rows.Length; n++)
        {
            bool settled = outcomes?[n] is WindowOutcome.Applied or WindowOutcome.Repeated;
            _later += settled || outcomes is null ? 0 : 1;
            bool decided = !_undecided.Remove(rows[n].Key.Series, out CorrectionRow[]? left);
            if (settled)
            {
                _resolved.AddRange((left ?? []).Where(row => row.Run != request.Run).Select(row => row with { State = CorrectionState.Dropped }));
                rows[n] = rows[n] with { State = CorrectionState.Settled };
                _resolved.Add(rows[n]);
                NoteEarlier(rows[n]);
                Count(chunk[n]);
                if (!chunk[n].IsRepeat && chunk[n].Cause != CorrectionCause.None)
                {
                    Settled?.Invoke(rows[n].Cause);
                }
            }
            else if (decided)
            {
                // What was done of it before stays done.
                _resolved.Add(_earlier.GetValueOrDefault(rows[n].Key.Series) ?? rows[n] with { State = CorrectionState.Dropped });
            }
        }

        await WriteResolvedAsync(cancellationToken);
    }

    /// <summary>
    /// The differences that are none because of a batch. One that is under way has some of its windows in the store, parts of days before
    /// their rows, and its end is beyond what is counted; one that ended meanwhile is beyond the recount. So each window is read once more
    /// when nothing is under way of what it may have been: as it was read first, it is neither.
    /// </summary>
    private async Task<IEnumerable<WindowDifference>> ConfirmAsync(WindowDifference[] waiting, CancellationToken cancellationToken)
    {
        if (await CountedToAsync(cancellationToken) is not long next)
        {
            _again ??= NotCounted;
            return [];
        }

        string[] read = [.. waiting.Where(difference => difference.Read is not null).Select(difference => difference.Key.Series).Distinct(StringComparer.Ordinal)];
        Dictionary<string, StoredWindow> stored = await FindAsync(read, cancellationToken);
        var confirmed = new List<WindowDifference>();
        foreach (WindowDifference difference in waiting)
        {
            if ((difference.StoredUpto > upto && difference.StoredUpto <= next)
                || (difference.Read is { } first && !IsSame(first, stored.GetValueOrDefault(difference.Key.Series))))
            {
                _later++;
            }
            else if (difference.Lowers && Incomplete is not null)
            {
                Refused ??= ("archive_incomplete", $"{difference.Key} has more clicks than the archive, and {Incomplete}: nothing is lowered on its account");
            }
            else
            {
                confirmed.Add(difference);
            }
        }

        return confirmed;
    }

    private static bool IsSame(StoredWindow first, StoredWindow? now) =>
        first.Row.Stamp == now?.Row.Stamp && first.Row.Upto == now.Row.Upto && first.Row.Quarters.AsSpan().SequenceEqual(now.Row.Quarters)
        && first.DayQuarters.AsSpan().SequenceEqual(now.DayQuarters);

    /// <summary>
    /// A difference with what this run found of its window before: the ledger has one row for a run and window, which begins with that.
    /// Null where nothing is to be said any more.
    /// </summary>
    private WindowDifference? Joined(WindowDifference difference)
    {
        string series = difference.Key.Series;
        difference = difference with { Read = null };
        if (_taken.TryGetValue(series, out WindowDifference? before) && before.Cause != CorrectionCause.None)
        {
            // A dry run has changed no list, so that one is not as the recount has it is said by the row that is there.
            return request.DryRun ? null : After(before.FoundAtFirst ?? before.Before, before.After, before.Cause, before.Detail) with { IsRepeat = true };
        }

        if (_earlier.TryGetValue(series, out CorrectionRow? earlier) && earlier.Cause != CorrectionCause.None)
        {
            difference = After(earlier.Before, earlier.After, earlier.Cause, earlier.Detail) with { IsRepeat = true };
        }
        else if (Array.Find(_undecided.GetValueOrDefault(series) ?? [], row => row.Run == request.Run && row.Cause != CorrectionCause.None) is { } left)
        {
            // An earlier try may have done some of it, or all, and its name be gone from the row: what is found now says less than what was then.
            difference = After(left.Before, left.After, left.Cause, left.Detail);
        }

        if (_taken.Count < MostTaken)
        {
            _taken[series] = difference;
        }

        return difference;

        // Where only a list was wrong, clicks that came since are no correction's.
        WindowDifference After(long[] found, long[] left, CorrectionCause cause, string? detail) =>
            difference with { FoundAtFirst = found.AsSpan().SequenceEqual(left) ? null : found, Cause = cause, Detail = $"{detail}, {difference.Detail}" };
    }

    /// <summary>Opens the hour where it is final.</summary>
    public async Task ReopenAsync(CancellationToken cancellationToken)
    {
        if (MustReopen && !Reopened && !request.DryRun)
        {
            await ports.Ledger.ReopenAsync(request.Hour, request.Chain, request.Version, cancellationToken);
            Reopened = true;
        }
    }

    /// <summary>
    /// Corrects what waits, and decides what was left pending of windows that nobody compared: of those that are neither stored nor have a
    /// click, and of rollups that are not compared now, which are left as they are.
    /// </summary>
    /// <param name="compared">The rollups that were compared.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task EndAsync(RollupSet compared, CancellationToken cancellationToken)
    {
        foreach (string[] some in _left.Keys.ToArray().Chunk(LedgerPage))
        {
            string[] others = [.. some.Where(one => SeriesName.TryParse(one, out SeriesName name) && !compared.Contains(name.Rollup))];
            Dictionary<string, StoredWindow> stored = await FindAsync(others, cancellationToken);
            foreach (string series in some)
            {
                StoredWindow? left = stored.GetValueOrDefault(series);
                if (Resolve(series, left?.Row.Run))
                {
                    long[] quarters = left?.Row.Quarters ?? new long[4];
                    long[]? minutes = left is null ? new long[HourTable.Minutes] : left.Row.Minutes;
                    await TakeAsync(
                        new WindowDifference(
                            new WindowKey(series, request.Hour, request.Chain), CorrectionCause.None, quarters, quarters, minutes, left?.Row.Upto ?? 0, false, "left pending")
                        { Read = left },
                        cancellationToken);
                }
            }
        }

        await FlushAsync(cancellationToken);
    }

    /// <summary>What is stored now of the hour's windows of some series, each of which is given once.</summary>
    public async Task<Dictionary<string, StoredWindow>> FindAsync(IReadOnlyList<string> series, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, StoredWindow>(StringComparer.Ordinal);
        foreach (string[] some in series.Chunk(LedgerPage))
        {
            foreach (StoredWindow window in await ports.Ledger.FindWindowsAsync(some, request.Hour, request.Chain, cancellationToken))
            {
                found.Add(window.Key.Series, window);
            }
        }

        return found;
    }

    /// <summary>Below which offset every click is counted, once the batch that is under way is done; null where it is not counted now.</summary>
    public async Task<long?> CountedToAsync(CancellationToken cancellationToken) =>
        counted.State == CountedChainState.Over ? counted.Next : await ports.Chains.CountedToAsync(request.Chain, cancellationToken);

    /// <summary>Whether a batch beyond the recount has touched one of the hours, as they are noted; true also where that cannot be said now.</summary>
    public async Task<bool> AreTouchedBeyondAsync(int fromHour, int toHour, CancellationToken cancellationToken)
    {
        HourMark[] beyond = [.. (await ports.Ledger.ReadHoursAsync(fromHour, toHour, cancellationToken)).Where(mark => mark.Chain == request.Chain && mark.Upto > upto)];
        return beyond.Length > 0 && (await CountedToAsync(cancellationToken) is not long next || beyond.Any(mark => mark.Upto <= next));
    }

    /// <summary>Says that it has to be done again.</summary>
    public void DoAgain(string code, string message) => _again ??= (code, message);

    /// <summary>Why it has to be done again, with a later X; null where it has not.</summary>
    public (string Code, string Message)? Again(HourMark? mark) =>
        _again
        ?? (_later > 0 ? ("later", Text($"{_later} windows of the hour got clicks beyond offset {upto} of chain {request.Chain} while it was recounted"))
            : mark?.Upto > upto ? ("later", Text($"the hour got clicks up to offset {mark.Value.Upto} of chain {request.Chain} while it was recounted to {upto}"))
            : null);

    private (string Code, string Message) NotCounted => ("counting_stopped", $"the partition of chain {request.Chain} does not count it now");

    private void Settle(IEnumerable<CorrectionRow> rows)
    {
        foreach (CorrectionRow row in rows)
        {
            CorrectionRow settled = row with { State = CorrectionState.Settled };
            _resolved.Add(settled);
            if (row.Run == request.Run)
            {
                NoteEarlier(settled);
            }
        }
    }

    private async Task WriteResolvedAsync(CancellationToken cancellationToken)
    {
        if (_resolved.Count > 0)
        {
            await ports.Ledger.WriteCorrectionsAsync([.. _resolved], cancellationToken);
            _resolved.Clear();
        }
    }

    /// <summary>Notes what an earlier try of this run has corrected: the ledger has one row for both, from what the first has found.</summary>
    private void NoteEarlier(CorrectionRow row)
    {
        if (_earlier.Count < MostTaken)
        {
            _earlier[row.Key.Series] = row;
        }
    }

    private void Count(WindowDifference difference)
    {
        if (difference.Cause == CorrectionCause.None)
        {
            return; // nothing differed: it was written again above what an earlier try may still have on its way
        }

        // What is in the row of an earlier try that died was counted by nobody.
        long[] before = difference.IsRepeat ? difference.Before : difference.FoundAtFirst ?? difference.Before;
        Done += difference.IsRepeat ? 0 : 1;
        ClicksChanged += difference.Key.Series == "total" ? difference.After.Sum() - before.Sum() : 0;
        RollupChange change = ChangeOf(difference.Key.Series, before, difference.After) with { Windows = difference.IsRepeat ? 0 : 1 };
        string rollup = change.Rollup ?? "";
        _changes[rollup] = _changes.TryGetValue(rollup, out RollupChange? known)
            ? known with { Windows = known.Windows + change.Windows, Raised = known.Raised + change.Raised, Lowered = known.Lowered + change.Lowered }
            : change;
    }

    /// <summary>What one corrected window changed of its rollup.</summary>
    public static RollupChange ChangeOf(string series, long[] before, long[] after)
    {
        long raised = 0;
        long lowered = 0;
        for (int quarter = 0; quarter < after.Length; quarter++)
        {
            long more = after[quarter] - before[quarter];
            raised += Math.Max(0, more);
            lowered += Math.Max(0, -more);
        }

        return new RollupChange(SeriesName.TryParse(series, out SeriesName name) ? name.Rollup.ToString() : null, 1, raised, lowered);
    }

    private string Detail(WindowDifference difference)
    {
        IEnumerable<long> numbers = difference.Cause is CorrectionCause.Invalidated or CorrectionCause.Restored
            ? request.Candidate is { } candidate ? [candidate.Number] : Touching()
            : [];
        return string.Join(", ", difference.Detail.Split(", ").Concat(numbers.Select(number => Text($"invalidation {number}"))).Distinct());
    }

    private IEnumerable<long> Touching() => request.Invalidations
        .Where(one => one.From <= request.Events && one.Filter.ToTime > request.Hour * 3_600_000L && one.Filter.FromTime < (request.Hour + 1) * 3_600_000L)
        .OrderByDescending(one => one.To ?? one.From)
        .Take(3)
        .Select(one => one.Number);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
