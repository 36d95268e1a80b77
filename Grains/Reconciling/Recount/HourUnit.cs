using System.Globalization;
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
/// 2. The archived clicks of the hour below X are recounted, in as many passes as the memory needs (<see cref="HourRecount"/>); where
///    the run says so, also by the counting's own code, and the two have to agree (<see cref="HourReplay"/>).
/// 3. Each pass is compared with what is stored of its series (<see cref="HourComparison"/>).
/// 4. What differs goes through its partition: the ledger says so first (<see cref="Corrector"/>).
/// 5. Counts that were final and change are kept as they were, for whoever asks for the version.
/// 6. The top lists are held to what they promise, and mended by noting their windows again.
/// 7. If a batch touched the hour meanwhile, it is done again with a later X; else whoever runs the run makes it final.
/// </remarks>
internal sealed class HourUnit
{
    private const long HourMilliseconds = 3_600_000;
    private const int MostChains = 10_000;
    private const int MostSeries = 1_000;

    private readonly RecountRequest _request;
    private readonly RecountPorts _ports;
    private readonly RecountRules _rules;
    private readonly int _hour;
    private readonly int _chain;
    private readonly List<HistoryRow> _history = [];
    private IReadOnlyList<long> _versions = [];
    private Corrector _corrector = null!;
    private long _upto;

    public HourUnit(RecountRequest request, RecountPorts ports, RecountRules rules)
    {
        _request = request;
        _ports = ports;
        _rules = rules;
        _hour = request.Hour;
        _chain = request.Chain;
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
            HourMark? mark = await MarkAsync(cancellationToken);
            CountedChain counted = await _ports.Chains.GetAsync(_chain, cancellationToken);
            ArchivedHour archived = await _ports.Archive.GetHourAsync(_chain, _hour);
            _upto = Math.Min(archived.Upto, counted.Next);
            if (NotYet(mark, counted, archived) is { } notYet)
            {
                return notYet;
            }

            HourFinal? last = (await _ports.Ledger.ReadFinalsAsync(_hour, _hour + 1, cancellationToken)).FirstOrDefault(final => final.Chain == _chain);
            bool open = (await _ports.Ledger.ReadOpenHoursAsync(_hour, _hour + 1, MostChains, cancellationToken)).Any(one => one.Chain == _chain);
            _versions = last?.Versions ?? (_request.Passed ? [0] : []);
            string? incomplete = await IncompleteAsync(mark);
            _corrector = new Corrector(_request, _ports, _rules, counted, _upto, incomplete)
            {
                MustReopen = !open && _versions.Count > 0,
                Settled = Settled,
            };
            if (!await _corrector.LoadAsync(cancellationToken))
            {
                return Result(RecountOutcome.Again, "counting_stopped", $"the partition of chain {_chain} does not count it now", null);
            }

            // 2. to 5.
            HourQuestion question = Question(last);
            var reader = new HourReader(_ports.Archive, _ports.Objects, _ports.Files, _chain, _hour);
            long rows = archived.Objects.Sum(one => one.HourRows);
            long seed = Random.Shared.NextInt64();
            recount = new HourRecount(reader, question, rows, _rules.Bounds, seed);
            HourReplay? replay = _request.Mode == RunMode.Republish
                ? new HourReplay(_request, reader, question, _ports.Replay, (await _ports.Archive.GetProgressAsync(_chain)).Partition, rows, _rules.Bounds, seed) { Sent = Replayed }
                : null;
            var tops = new TopComparison(_ports, _rules, _hour, _chain);
            await tops.LoadAsync(counted.CountedUntil, cancellationToken);
            while (await recount.NextAsync(cancellationToken))
            {
                if (replay is not null)
                {
                    await replay.ConfirmAsync(recount.Table, cancellationToken);
                }

                await CompareAsync(recount.Table, tops, cancellationToken);
            }

            // 6.
            await tops.CheckAsync(_corrector, cancellationToken);

            // 7.
            await _corrector.EndAsync(cancellationToken);
            mark = await MarkAsync(cancellationToken);
            return _corrector.Again(mark) is { } again
                ? Result(RecountOutcome.Again, again.Code, again.Message, recount)
                : _corrector.Refused is { } refused
                    ? Result(RecountOutcome.Refused, refused.Code, refused.Message, recount)
                    : Result(RecountOutcome.Done, null, null, recount, !_request.DryRun && (open || _corrector.Reopened) ? new RecountFinal(_upto, _versions) : null);
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

    private async Task CompareAsync(HourTable table, TopComparison tops, CancellationToken cancellationToken)
    {
        int? floor = await _ports.Counts.ReadMinutesFloorAsync(cancellationToken);
        var comparison = new HourComparison(table, _rules.Rollups, _hour, _chain, withMinutes: !(_hour < floor));
        await foreach (StoredWindow stored in _ports.Ledger.ReadWindowsAsync(_hour, _chain, cancellationToken))
        {
            if (comparison.Covers(stored.Key.Series))
            {
                tops.Note(stored);
                if (comparison.Compare(stored, always: _corrector.Resolve(stored.Key.Series, stored.Row.Run)) is { } difference)
                {
                    await _corrector.TakeAsync(difference, cancellationToken);
                }
            }
        }

        foreach (WindowDifference[] missing in comparison.Missing().Chunk(MostSeries))
        {
            await TakeMissingAsync(missing, comparison, tops, cancellationToken);
        }

        await _corrector.FlushAsync(cancellationToken);
        tops.Expect(table);
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
            if (stored is null && !difference.After.AsSpan().ContainsAnyExcept(0L))
            {
                continue; // neither there nor expected
            }

            _corrector.Resolve(difference.Key.Series, stored?.Row.Run);
            if (stored is not null)
            {
                tops.Note(stored);
            }

            await _corrector.TakeAsync(stored is null ? difference : comparison.CompareUnlisted(stored), cancellationToken);
        }
    }

    private async Task WriteHistoryAsync(CancellationToken cancellationToken)
    {
        if (_history.Count > 0)
        {
            // A final hour whose clicks are not those of its finalisation gets another one, also where the store agrees already.
            await _corrector.ReopenAsync(cancellationToken);
            await _ports.Ledger.WriteHistoryAsync([.. _history], cancellationToken);
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
            Former = _versions.Count == 0 ? null : new FormerCount(last?.Upto ?? 0, new TakenBack(InForceAt(last?.Invalidations ?? 0))),
        };
    }

    private IEnumerable<InvalidationSpan> InForceAt(long @event) => _request.Invalidations
        .Where(one => one.InForceAt(@event) && one.Filter.ToTime > _hour * HourMilliseconds && one.Filter.FromTime < (_hour + 1) * HourMilliseconds);

    private RecountResult? NotYet(HourMark? mark, CountedChain counted, ArchivedHour archived)
    {
        if (counted.State == CountedChainState.Standing)
        {
            return Result(RecountOutcome.Again, "counting_stopped", $"chain {_chain} is not counted now: {counted.Detail}", null);
        }

        DateTimeOffset old = DateTimeOffset.FromUnixTimeMilliseconds((_hour + 1) * HourMilliseconds) + _rules.Young;
        if (counted.State == CountedChainState.Counted && counted.CountedUntil < old.ToUnixTimeMilliseconds())
        {
            return Result(RecountOutcome.Again, "counting_behind", Text($"chain {_chain} has to be counted until {old:u} before this hour is recounted"), null);
        }

        return mark?.Upto > counted.Next
            ? Result(RecountOutcome.Again, "counting_behind", Text($"the hour has clicks up to offset {mark.Value.Upto} of chain {_chain}, which is counted to {counted.Next}"), null)
            : mark?.Upto > archived.Upto
                ? Result(RecountOutcome.Again, "archive_behind", Text($"the hour has clicks up to offset {mark.Value.Upto} of chain {_chain}, which is archived to {archived.Upto}"), null)
                : null;
    }

    /// <summary>Why the archive may have fewer clicks of the hour than were counted; null where it has all.</summary>
    private async Task<string?> IncompleteAsync(HourMark? mark)
    {
        ArchiveProgress progress = await _ports.Archive.GetProgressAsync(_chain);
        LostRange? lost = progress.Lost.FirstOrDefault(range => range.From < _upto && range.From < mark?.Upto);
        return lost is null ? null : Text($"offsets {lost.From} to {lost.To} of chain {_chain} were gone from the log before they were archived");
    }

    private async Task<HourMark?> MarkAsync(CancellationToken cancellationToken)
    {
        foreach (HourMark mark in await _ports.Ledger.ReadHoursAsync(_hour, _hour + 1, cancellationToken))
        {
            if (mark.Chain == _chain)
            {
                return mark;
            }
        }

        return null;
    }

    private RecountResult Result(RecountOutcome outcome, string? code, string? message, HourRecount? recount, RecountFinal? final = null) =>
        new(outcome, code, message, recount?.Read ?? 0, _corrector?.Done ?? 0, _corrector?.ClicksChanged ?? 0, final);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
