using System.Collections.Frozen;
using System.Globalization;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Recounts one hour of one chain, compares and corrects. It may end anywhere, and begin again anywhere else: what it does is
/// either done once or done again with the same effect.
/// </summary>
/// <remarks>
/// 1. X: up to where the chain is both archived and counted. Every batch that touched the hour must end at or below it.
///    Where the archive has lost some of the chain's clicks, and perhaps of the hour's, nothing is made up for that a rollup lacks.
/// 2. Around a change of the partitions, those that another chain took first are looked for (<see cref="RepeatsElsewhere"/>).
///    The archived clicks of the hour below X are recounted, in as many passes as the memory needs (<see cref="HourRecount"/>); where
///    the run says so, also by the counting's own code, and the two have to agree (<see cref="HourReplay"/>).
/// 3. Each pass is compared with what is stored of its series (<see cref="HourComparison"/>).
/// 4. What differs goes through its partition: the ledger says so first (<see cref="Corrector"/>).
/// 5. Counts that were final and change are kept as they were, for whoever asks for the version.
/// 6. The top lists are held to what they promise, and mended by noting their windows again; an hour that has clicks and is not noted as one
///    that has them all is noted with one of its windows.
/// 7. If a batch touched the hour meanwhile, it is done again with a later X; else whoever runs the run makes it final.
/// </remarks>
internal sealed class HourUnit
{
    private const long HourMilliseconds = 3_600_000;
    private const int MostChains = 10_000;
    private const int MostSeries = 1_000;

    private readonly RecountRequest _request;
    private readonly RecountPorts _ports;
    private readonly int _hour;
    private readonly int _chain;
    private readonly IReadOnlyList<string> _notWhole;
    private readonly List<HistoryRow> _history = [];
    private readonly HashSet<string> _astray;
    private readonly HashSet<string> _unnamed;
    private IReadOnlySet<UInt128> _elsewhere = FrozenSet<UInt128>.Empty;
    private RecountRules _rules;
    private IReadOnlyList<long> _versions = [];
    private Corrector _corrector = null!;
    private WindowDifference? _any;
    private long _leastMark;
    private long _upto;
    private long _kept;

    public HourUnit(RecountRequest request, RecountPorts ports, RecountRules rules)
    {
        _request = request;
        _ports = ports;
        _rules = rules;
        _hour = request.Hour;
        _chain = request.Chain;
        _notWhole = request.NotWhole ?? [];
        _astray = [.. (request.Astray ?? []).Select(row => row.Series)];
        _unnamed = [.. request.Unnamed ?? []];
    }

    /// <summary>Hears of each correction that was done.</summary>
    public Action<CorrectionCause>? Settled { get; init; }

    /// <summary>Hears of clicks that were sent through the replay log.</summary>
    public Action<long>? Replayed { get; init; }

    /// <summary>Does it.</summary>
    public async Task<RecountResult> RunAsync(CancellationToken cancellationToken)
    {
        HourRecount? recount = null;
        try
        {
            // 1.
            HourMark? mark = await MarkAsync(_chain, cancellationToken);
            CountedChain counted = await _ports.Chains.GetAsync(_chain, cancellationToken);
            ArchivedHour archived = await _ports.Archive.GetHourAsync(_chain, _hour);
            _upto = Math.Min(archived.Upto, counted.Next);
            bool isBeyond = await IsBeyondLogAsync(mark, counted);
            if (NotYet(_chain, isBeyond ? null : mark, counted, archived) is { } notYet)
            {
                return notYet;
            }

            HourFinal? last = (await _ports.Ledger.ReadFinalsAsync(_hour, _hour + 1, cancellationToken)).FirstOrDefault(final => final.Chain == _chain);
            HourMark[] opened = [.. (await _ports.Ledger.ReadOpenHoursAsync(_hour, _hour + 1, MostChains, cancellationToken)).Where(one => one.Chain == _chain)];
            bool open = opened.Length > 0;
            isBeyond = isBeyond || (open && await IsBeyondLogAsync(opened[0], counted));

            // Every batch that touched it is complete: an hour with clicks that was in a run is final, or was opened by a batch, or somebody took that away.
            bool gone = last is null && _request.Passed && mark?.Upto > 0 && !opened.Any(one => one.Upto > 0);
            _versions = last?.Versions ?? (_request.Passed && !gone ? [0] : []);
            string? incomplete = await IncompleteAsync(mark);
            _corrector = new Corrector(_request, _ports, _rules, counted, _upto)
            {
                Incomplete = incomplete,
                MustReopen = !open && (_versions.Count > 0 || gone),
                Settled = Settled,
            };
            if (!await _corrector.LoadAsync(cancellationToken))
            {
                return Result(RecountOutcome.Again, "counting_stopped", $"the partition of chain {_chain} does not count it now", null);
            }

            // 2. to 5.
            HourReader reader = Reader(_chain);
            if (counted.IsCorrected && await _ports.Chains.MixedWithAsync(_chain, _hour) is { Count: > 0 } chains
                && await FindElsewhereAsync(chains, reader, Question(last), archived, cancellationToken) is { } unfound)
            {
                return unfound;
            }

            if (incomplete is not null && _notWhole.Count > 0 && await CompletenessAsync(reader, last, counted, archived, cancellationToken) is not Completeness.Whole and var lacks)
            {
                if (_request.Rebuild is not null)
                {
                    return lacks == Completeness.Unknown
                        ? Result(RecountOutcome.Again, "later", Text($"the hour got clicks beyond offset {_upto} of chain {_chain} while it was recounted"), null)
                        : Result(RecountOutcome.Refused, "archive_incomplete", $"{incomplete}, and the hour may have clicks of them: it cannot be rebuilt", null);
                }

                // Half a history would be called a rebuilt one.
                _rules = _rules with { Rollups = new RollupSet(_rules.Rollups.Where(rollup => !_notWhole.Contains(rollup.ToString()))) };
            }

            HourQuestion question = Question(last);
            long rows = archived.Objects.Sum(one => one.HourRows);
            recount = new HourRecount(reader, question, rows, _rules.Bounds, _rules.Seed);
            HourReplay? replay = _request.Mode == RunMode.Republish
                ? new HourReplay(_request, reader, question, _ports.Replay, (await _ports.Archive.GetProgressAsync(_chain)).Partition, rows, _rules.Bounds, _rules.Seed) { Sent = Replayed }
                : null;
            var tops = new TopComparison(_ports, _rules, _hour, _chain, _request.DryRun ? _request.FromHour : null);
            await tops.LoadAsync(counted.CountedUntil, cancellationToken);
            while (await recount.NextAsync(cancellationToken))
            {
                _leastMark = Math.Max(_leastMark, recount.Table.LastUpto);
                if (mark?.Upto < _leastMark && (mark = await MarkAsync(_chain, cancellationToken))?.Upto < _leastMark)
                {
                    _corrector.Incomplete ??= await IncompleteAsync(null); // the mark says too little, and so of what the archive lacks
                }

                if (replay is not null)
                {
                    await replay.ConfirmAsync(recount.Table, cancellationToken);
                }

                await CompareAsync(recount.Table, tops, counted.Next, cancellationToken);
            }

            // 6. Where windows have more than the archive, and keep it, so have the lists.
            if (_corrector.Refused is null)
            {
                await tops.CheckAsync(_corrector, cancellationToken);
                bool isBehind = !isBeyond && ((await MarkAsync(_chain, cancellationToken))?.Upto ?? 0) < _leastMark;
                if (counted.IsCorrected && (isBeyond ? _any ?? await NoClickAsync(cancellationToken) : isBehind ? _any : null) is { } any)
                {
                    await _corrector.TakeAsync(any, cancellationToken);
                }
            }

            // 7.
            await _corrector.EndAsync(_rules.Rollups, cancellationToken);
            await RemoveAstrayAsync(cancellationToken);
            mark = isBeyond && _request.DryRun ? null : await MarkAsync(_chain, cancellationToken);
            return _corrector.Again(mark) is { } again
                ? Result(RecountOutcome.Again, again.Code, again.Message, recount)
                : _corrector.Refused is { } refused
                    ? Result(RecountOutcome.Refused, refused.Code, refused.Message, recount)
                    : Result(
                        RecountOutcome.Done, gone ? ReconciliationGrain.FinalGone : null,
                        gone ? WhatIsGone(recount) : null,
                        recount, !_request.DryRun && (open || gone || _corrector.Reopened) ? new RecountFinal(_upto, _versions, _kept) : null);
        }
        catch (ArchiveDamagedException damaged)
        {
            return Result(RecountOutcome.Refused, "archive_damaged", damaged.Message, recount);
        }
        catch (ArchiveUnavailableException away)
        {
            return Result(RecountOutcome.Again, "archive_unavailable", away.Message, recount);
        }
        catch (RecountBrokenOffException moved)
        {
            return Result(RecountOutcome.Again, "archive_moving", moved.Message, recount);
        }
        catch (ReplayUnavailableException away)
        {
            return Result(RecountOutcome.Again, "replay_unavailable", away.Message, recount);
        }
        catch (ReplayIncompleteException lost)
        {
            return Result(RecountOutcome.Again, "replay_incomplete", lost.Message, recount);
        }
        catch (RecountsDifferException differ)
        {
            return Result(RecountOutcome.Refused, "recounts_differ", differ.Message, recount);
        }
    }

    private async Task CompareAsync(HourTable table, TopComparison tops, long countedTo, CancellationToken cancellationToken)
    {
        int? floor = await _ports.Counts.ReadMinutesFloorAsync(cancellationToken);
        var comparison = new HourComparison(table, _rules.Rollups, _hour, _chain, withMinutes: !(_hour < floor), _notWhole) { CountedTo = countedTo };
        await foreach (StoredWindow stored in _ports.Ledger.ReadWindowsAsync(_hour, _chain, cancellationToken))
        {
            if (comparison.Covers(stored.Key.Series))
            {
                tops.Note(stored);
                bool always = _corrector.Resolve(stored.Key.Series, stored.Row.Run);
                bool isAstray = _astray.Remove(stored.Key.Series);
                bool isListed = !_unnamed.Remove(stored.Key.Series) && stored.IsListed;
                if ((isListed ? comparison.Compare(stored, always || isAstray) : comparison.CompareUnlisted(stored)) is { } difference)
                {
                    await _corrector.TakeAsync(isAstray ? comparison.WithAstray(difference, stored.Key) : difference, cancellationToken);
                }
            }
        }

        foreach (WindowDifference[] missing in comparison.Missing().Chunk(MostSeries))
        {
            await TakeMissingAsync(missing, comparison, tops, cancellationToken);
        }

        foreach (string series in _astray.Where(comparison.Covers).ToList())
        {
            _astray.Remove(series);
            await _corrector.TakeAsync(comparison.WithAstray(null, new WindowKey(series, _hour, _chain)), cancellationToken);
        }

        await _corrector.FlushAsync(cancellationToken);
        tops.Expect(table);
        _any ??= Any(table, withMinutes: !(_hour < floor));
        if (_request.DryRun || _versions.Count == 0)
        {
            return;
        }

        foreach ((WindowKey key, long[] minutes) in comparison.Changed())
        {
            _history.Add(new HistoryRow(key, _versions.Count, _hour < floor ? null : minutes, HourComparison.Quarters(minutes)));
            if (_history.Count == _rules.Chunk)
            {
                await WriteHistoryAsync(cancellationToken);
            }
        }

        await WriteHistoryAsync(cancellationToken);
    }

    /// <summary>A window that has clicks, as it should be; null where none of the pass has any.</summary>
    private WindowDifference? Any(HourTable table, bool withMinutes)
    {
        for (int number = 0; number < table.Count; number++)
        {
            long[] minutes = table.Counts(number);
            if (minutes.AsSpan().ContainsAnyExcept(0L))
            {
                long[] quarters = HourComparison.Quarters(minutes);
                return Noting(table.Series(number), quarters, withMinutes ? minutes : null);
            }
        }

        return null;
    }

    /// <summary>Where the hour has no click, and is noted as one that has.</summary>
    private async Task<WindowDifference> NoClickAsync(CancellationToken cancellationToken) =>
        Noting("total", new long[4], _hour < await _ports.Counts.ReadMinutesFloorAsync(cancellationToken) ? null : new long[HourTable.Minutes]);

    private WindowDifference Noting(string series, long[] quarters, long[]? minutes) =>
        new(new WindowKey(series, _hour, _chain), CorrectionCause.StoreDamage, quarters, quarters, minutes, 0, false, "hour") { MarksHour = true };

    /// <summary>
    /// Windows that no index names. Where only the name was deleted the row is there, and answers have it: it is compared like any
    /// other, and written again with its name in any case.
    /// </summary>
    private async Task TakeMissingAsync(
        WindowDifference[] missing, HourComparison comparison, TopComparison tops, CancellationToken cancellationToken)
    {
        var found = (await _ports.Ledger.FindWindowsAsync([.. missing.Select(one => one.Key.Series)], _hour, _chain, cancellationToken))
            .ToDictionary(stored => stored.Key.Series, StringComparer.Ordinal);
        foreach (WindowDifference difference in missing)
        {
            StoredWindow? stored = found.GetValueOrDefault(difference.Key.Series);
            if (stored is null && !difference.After.AsSpan().ContainsAnyExcept(0L) && difference.Cause != CorrectionCause.Rebuilt)
            {
                continue; // neither there nor expected; of a rollup that is made up for, the ledger says that none of its clicks counts
            }

            _corrector.Resolve(difference.Key.Series, stored?.Row.Run);
            if (stored is not null)
            {
                tops.Note(stored);
            }

            WindowDifference taken = stored is null ? difference : comparison.CompareUnlisted(stored);
            await _corrector.TakeAsync(_astray.Remove(difference.Key.Series) ? comparison.WithAstray(taken, difference.Key) : taken, cancellationToken);
        }
    }

    /// <summary>Rows that stand in other days go once the ledger has their windows.</summary>
    private async Task RemoveAstrayAsync(CancellationToken cancellationToken)
    {
        foreach (AstrayRow row in _corrector.Mends && _corrector.Refused is null ? _request.Astray ?? [] : [])
        {
            if (!await _ports.Ledger.RemoveAstrayAsync(new WindowKey(row.Series, row.Hour, row.Chain), row.Day, cancellationToken))
            {
                _corrector.DoAgain(ReconciliationGrain.Failed, Text($"the row of {row.Series} in the partition of day {row.Day} does not go"));
            }
        }
    }

    private async Task WriteHistoryAsync(CancellationToken cancellationToken)
    {
        if (_history.Count > 0)
        {
            // A final hour whose clicks are not those of its finalisation gets another one, also where the store agrees already.
            await _corrector.ReopenAsync(cancellationToken);
            await _ports.Ledger.WriteHistoryAsync([.. _history], cancellationToken);
            _kept += _history.Count;
            _history.Clear();
        }
    }

    private HourQuestion Question(HourFinal? last)
    {
        IEnumerable<InvalidationSpan> inForce = InForceAt(_request.Events);
        if (_request.Candidate is { } candidate)
        {
            inForce = inForce.Append(candidate);
        }

        return new HourQuestion(_hour, _upto, _rules.Rollups, new TakenBack(inForce), _rules.RetentionDays)
        {
            Elsewhere = _elsewhere,
            Former = _versions.Count == 0 ? null : new FormerCount(last?.Upto ?? 0, new TakenBack(InForceAt(last?.Invalidations ?? 0))),
        };
    }

    private IEnumerable<InvalidationSpan> InForceAt(long @event) => _request.Invalidations
        .Where(one => one.InForceAt(@event) && one.Filter.ToTime > _hour * HourMilliseconds && one.Filter.FromTime < (_hour + 1) * HourMilliseconds);

    /// <summary>
    /// Around a change of the partitions: which of the hour's clicks another chain took first. Each has to be counted, and what it has of
    /// the hour archived, as far as this one's clicks are, so that nothing earlier comes to be known later; else it answers what to wait for.
    /// </summary>
    private async Task<RecountResult?> FindElsewhereAsync(
        IReadOnlyList<int> chains, HourReader own, HourQuestion question, ArchivedHour archived, CancellationToken cancellationToken)
    {
        int parts = IdentifiedClicks.PartsOf(archived.Objects.Sum(one => one.HourRows), Math.Max(1, _rules.Bounds.MaxClicks / 2));
        var repeats = new RepeatsElsewhere(question, _chain);
        IReadOnlyList<OtherChain>? others = null;
        for (int part = 0; part < parts; part++)
        {
            await repeats.NoteAsync(own, part, parts, cancellationToken);
            if (others is null)
            {
                (others, RecountResult? notYet) = await OthersAsync(chains, repeats.Latest, cancellationToken);
                if (notYet is not null)
                {
                    return notYet;
                }
            }

            foreach (OtherChain other in others)
            {
                await repeats.FindAsync(Reader(other.Chain), other.Chain, other.Archived, other.Upto, cancellationToken);
            }

            if (repeats.Found.Count > _rules.Bounds.MaxClicks)
            {
                return Result(
                    RecountOutcome.Refused, "too_many_repeats",
                    Text($"more than {_rules.Bounds.MaxClicks} clicks of the hour in chain {_chain} repeat clicks of other chains: partitions were added, or the log was replaced, and its clicks were sent again"), null);
            }
        }

        _elsewhere = repeats.Found;
        return null;
    }

    /// <summary>How far the other chains are; and what to wait for, where one is not counted or archived as far as this one's latest click.</summary>
    private async Task<(IReadOnlyList<OtherChain> Others, RecountResult? NotYet)> OthersAsync(
        IReadOnlyList<int> chains, long latest, CancellationToken cancellationToken)
    {
        var others = new List<OtherChain>();
        foreach (int chain in chains)
        {
            // The mark behind the progress: what is counted by then is in it.
            CountedChain counted = await _ports.Chains.GetAsync(chain, cancellationToken);
            HourMark? mark = await MarkAsync(chain, cancellationToken);
            ArchivedHour archived = await _ports.Archive.GetHourAsync(chain, _hour);
            if (counted.State != CountedChainState.Over
                && NotYet(chain, await IsBeyondLogAsync(mark, counted) ? null : mark, counted, archived) is { } notYet)
            {
                return (others, notYet);
            }

            if (counted.CountedUntil < latest)
            {
                return (others, Result(
                    RecountOutcome.Again, "counting_behind", Text($"chain {chain} has to be counted as far as chain {_chain}: it may have taken some of the hour's clicks first"), null));
            }

            // Of a log that was left, what was never counted there is counted where it came again.
            long upto = counted.State == CountedChainState.Over ? Math.Min(counted.Next, mark?.Upto ?? 0) : long.MaxValue;
            others.Add(new OtherChain(chain, archived.Upto, upto));
        }

        return (others, null);
    }

    private HourReader Reader(int chain) => new(_ports.Archive, _ports.Objects, _ports.Files, chain, _hour);

    /// <summary>
    /// Whether an hour's mark names offsets that its log does not have: then somebody altered it, and it says nothing. The mark was read
    /// before the log is looked at.
    /// </summary>
    private async Task<bool> IsBeyondLogAsync(HourMark? mark, CountedChain counted) =>
        mark is { } one && one.Upto > counted.Next
        && one.Upto > (counted.State == CountedChainState.Over ? counted.Next : await _ports.Archive.GetLogEndAsync(one.Chain) ?? long.MaxValue);

    private RecountResult? NotYet(int chain, HourMark? mark, CountedChain counted, ArchivedHour archived)
    {
        if (counted.State == CountedChainState.Standing)
        {
            return Result(RecountOutcome.Again, "counting_stopped", $"chain {chain} is not counted now: {counted.Detail}", null);
        }

        DateTimeOffset old = DateTimeOffset.FromUnixTimeMilliseconds((_hour + 1) * HourMilliseconds) + _rules.Young;
        if (counted.State == CountedChainState.Counted && counted.CountedUntil < old.ToUnixTimeMilliseconds())
        {
            return Result(RecountOutcome.Again, "counting_behind", Text($"chain {chain} has to be counted until {old:u} before this hour is recounted"), null);
        }

        return mark?.Upto > counted.Next
            ? Result(RecountOutcome.Again, "counting_behind", Text($"the hour has clicks up to offset {mark.Value.Upto} of chain {chain}, which is counted to {counted.Next}"), null)
            : mark?.Upto > archived.Upto
                ? Result(RecountOutcome.Again, "archive_behind", Text($"the hour has clicks up to offset {mark.Value.Upto} of chain {chain}, which is archived to {archived.Upto}"), null)
                : null;
    }

    /// <summary>Why the archive may have fewer clicks of the hour than were counted; null where it has all.</summary>
    private async Task<string?> IncompleteAsync(HourMark? mark)
    {
        if (_request.Damage is { } damage)
        {
            return damage;
        }

        // Where the mark is gone nobody knows up to where the hour has clicks.
        ArchiveProgress progress = await _ports.Archive.GetProgressAsync(_chain);
        return WhatIsLost(_chain, progress.Lost, Math.Min(_upto, mark?.Upto ?? long.MaxValue));
    }

    private static string WhatIsGone(HourRecount recount) => recount.Read > 0
        ? "the hour was in a run, and its row of final_hours is gone: versions before this run are not answered"
        : "the hour is noted as one that was clicked, and no click of it is archived: somebody noted it (hours), or its row of final_hours is gone, too; versions before this run are not answered";

    /// <summary>What the archive of a chain never got below an offset, in words; null where it got all.</summary>
    public static string? WhatIsLost(int chain, IReadOnlyList<LostRange> ranges, long upto) =>
        ranges.FirstOrDefault(range => range.From < upto) is { } lost
            ? Text($"offsets {lost.From} to {lost.To} of chain {chain} were gone from the log before they were archived")
            : null;

    /// <summary>
    /// Whether the archive has every click of the hour although it lacks some of the chain: then no window of what was counted from the
    /// beginning has more than the recount.
    /// </summary>
    private async Task<Completeness> CompletenessAsync(
        HourReader reader, HourFinal? last, CountedChain counted, ArchivedHour archived, CancellationToken cancellationToken)
    {
        // Each of these has every click in it.
        Rollup? every = _rules.Rollups.FirstOrDefault(rollup =>
            rollup is { Base: RollupBase.Total or RollupBase.Kind or RollupBase.Target, ByCountry: false, ByDevice: false } && !_notWhole.Contains(rollup.ToString()));
        if (every is null)
        {
            return Completeness.Lacking;
        }

        // Clicks that are taken back may be in the store or not: without them nothing that was lost is hidden by them.
        var rollups = new RollupSet([every]);
        var taken = new TakenBack(InForceAt(_request.Events).Concat(InForceAt(last?.Invalidations ?? 0)));
        var recount = new HourRecount(
            reader, new HourQuestion(_hour, _upto, rollups, taken, _rules.RetentionDays) { Elsewhere = _elsewhere }, archived.Objects.Sum(one => one.HourRows), _rules.Bounds, _rules.Seed);
        while (await recount.NextAsync(cancellationToken))
        {
            var comparison = new HourComparison(recount.Table, rollups, _hour, _chain, withMinutes: false);
            await foreach (StoredWindow stored in _ports.Ledger.ReadWindowsAsync(_hour, _chain, cancellationToken))
            {
                if (comparison.Covers(stored.Key.Series) && comparison.Compare(stored) is { Lowers: true } more)
                {
                    return more.StoredUpto > _upto && !(more.StoredUpto > await _corrector.CountedToAsync(cancellationToken)) ? Completeness.Unknown : Completeness.Lacking;
                }
            }
        }

        return Completeness.Whole;
    }

    private async Task<HourMark?> MarkAsync(int chain, CancellationToken cancellationToken)
    {
        foreach (HourMark mark in await _ports.Ledger.ReadHoursAsync(_hour, _hour + 1, cancellationToken))
        {
            if (mark.Chain == chain)
            {
                return mark;
            }
        }

        return null;
    }

    /// <summary>Another chain that may have taken clicks first: how far it is archived, and below which offset its clicks count.</summary>
    private readonly record struct OtherChain(int Chain, long Archived, long Upto);

    private enum Completeness
    {
        Whole,
        Lacking,
        Unknown,
    }

    private RecountResult Result(RecountOutcome outcome, string? code, string? message, HourRecount? recount, RecountFinal? final = null) =>
        new(outcome, code, message, recount?.Read ?? 0, _corrector?.Done ?? 0, _corrector?.ClicksChanged ?? 0, final, _corrector?.Changes);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
