using ClickAggregator.Grains.Reconciling.Recount;

namespace ClickAggregator.Grains.Reconciling;

/// <content>Seeing a run through.</content>
internal sealed partial class ReconciliationGrain
{
    private const int UnitsInWave = 32;
    private const int LedgerPage = 1000;
    private const int MostTroubles = 100;
    private const int MostUnfinished = 1000;
    private const int MostDeferred = 1000;
    private const int RecentHours = 48;
    private const int TriesInStart = 1000;
    private const int MostUnsettled = 100;
    private const int MostStarts = 998;
    internal const string Failed = "failed";
    private const string SearchIncomplete = "search_incomplete";
    private const string ManifestDamaged = "manifest_damaged";
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private int _tries;

    // Up to where the archive of a chain has to reach, so that the hours of the run can be recounted.
    private readonly Dictionary<int, long> _needed = [];

    // Why an hour has to be tried again, of those that have.
    private string? _waitsFor;

    // What is wrong with the manifests of the chains that the run has come to.
    private readonly Dictionary<int, string?> _damage = [];

    /// <remarks>
    /// 0. Clicks are archived some minutes after they are counted: it waits for those that its hours need, and asks nothing of hours meanwhile.
    /// 1. Its units are taken in the order of hour and chain, in waves; those of one chain one after the other.
    /// 2. What a wave made final gets a version: stored first, then the finalisations.
    /// 3. The cursor moves behind the wave with the next write. A run that died does its last wave again, which changes nothing.
    /// 4. What has to wait for the archive or the counting is tried again, until the patience ends.
    /// </remarks>
    private async Task ExecuteAsync(PlannedRun run)
    {
        RunProgress at = await BeginAsync(run);
        await WaitForArchiveAsync();
        var wave = new List<UnfinishedHour>();
        await foreach (UnfinishedHour unit in UnitsAsync(run, at.Hour, at.Chain))
        {
            wave.Add(unit);
            if (wave.Count == UnitsInWave)
            {
                await WaveAsync(run, at, wave, again: false);
            }
        }

        await WaveAsync(run, at, wave, again: false);
        long began = time.GetTimestamp();
        int inVain = 0;
        while (at.Deferred.Count > 0)
        {
            await Task.Delay(Pause(inVain), time, _stop.Token);
            List<UnfinishedHour> waiting = [.. at.Deferred];
            int before = waiting.Count;
            bool last = time.GetElapsedTime(began) >= options.Patience;
            at.Deferred.Clear();
            _tries++;
            await WaveAsync(run, at, waiting, again: true, giveUp: last);
            inVain = at.Deferred.Count < before ? 0 : inVain + 1;
        }

        await EndAsync(run, at);
    }

    private TimeSpan Pause(int tries)
    {
        TimeSpan doubled = options.RetryDelay * (1 << Math.Min(tries, 10));
        return doubled < LongestPause ? doubled : options.RetryDelay > LongestPause ? options.RetryDelay : LongestPause;
    }

    private async Task WaitForArchiveAsync()
    {
        long began = time.GetTimestamp();
        while (_needed.Count > 0 && time.GetElapsedTime(began) < options.Patience)
        {
            foreach ((int chain, long upto) in _needed.ToList())
            {
                // No click is beyond the end of its log: a mark that says so is damaged, and the recount of its hour sees it.
                ArchiveProgress progress = await GrainFactory.GetGrain<IArchiveGrain>(chain).GetProgressAsync();
                _needed[chain] = Math.Min(upto, progress.End);
                if (progress.Upto >= _needed[chain])
                {
                    _needed.Remove(chain);
                }
            }

            if (_needed.Count > 0)
            {
                await Task.Delay(options.RetryDelay, time, _stop.Token);
            }
        }
    }

    private async Task<RunProgress> BeginAsync(PlannedRun run)
    {
        _tries = 0;
        _waitsFor = null;
        _keptUpTo = null;
        _needed.Clear();
        _damage.Clear();
        if (position.State.Current is { } current && current.Run == run.Run.Number)
        {
            current.Starts = Math.Min(current.Starts + 1, MostStarts);
            current.IsUncertain = true;
            await WritePositionAsync();
            return current;
        }

        var at = new RunProgress { Run = run.Run.Number, FromVersion = position.State.Version, Troubles = [.. run.Run.Troubles] };
        if (run.Run.Request.Search && position.State.Sweep is { SearchFailed: > 0 } sweep)
        {
            at.Troubles.Add(new RunTrouble(
                run.Run.Request.FromHour, 0, SearchIncomplete, Text($"{sweep.SearchFailed} of {Parts} parts of the store could not be looked through: there may be windows in them that no index names")));
        }

        await foreach (UnfinishedHour _ in UnitsAsync(run, int.MinValue, 0))
        {
            at.Planned++;
        }

        position.State.Current = at;
        await WritePositionAsync();
        Replace(run, run.Run with { State = RunState.Running, StartedAt = Now, HoursPlanned = at.Planned });
        await runs.WriteStateAsync();
        return at;
    }

    private async Task WaveAsync(PlannedRun run, RunProgress at, List<UnfinishedHour> wave, bool again, bool giveUp = false)
    {
        if (wave.Count == 0)
        {
            return;
        }

        // 1.
        await CheckManifestsAsync(run, at, wave);
        long events = invalidations.State.Events;
        IReadOnlyDictionary<string, RollupStart> starts = await History.GetStartsAsync();
        int attempt = (at.Starts * TriesInStart) + Math.Min(_tries + 1, TriesInStart - 1);
        var results = new List<(UnfinishedHour Unit, RecountResult Result)>();
        var queue = new Queue<List<UnfinishedHour>>(wave.GroupBy(unit => unit.Chain).Select(chain => chain.ToList()));
        await Task.WhenAll(Enumerable.Range(0, Math.Max(1, options.AtOnce)).Select(async _ =>
        {
            while (queue.TryDequeue(out List<UnfinishedHour>? units))
            {
                RecountResult? behind = null;
                foreach (UnfinishedHour unit in units)
                {
                    // What a chain does not do for one hour, it does not for the others either: they are asked when that one is done. Its
                    // archive may be behind for one hour alone, which still gets clicks.
                    RecountResult result = behind ?? await RecountAsync(run, unit, events, attempt, starts);
                    behind ??= !giveUp && result is { Outcome: Grains.RecountOutcome.Again, Code: "counting_behind" or "counting_stopped" or "replay_unavailable" } ? result : null;
                    results.Add((unit, result));
                }
            }
        }));

        // 2.
        (UnfinishedHour Unit, RecountFinal Final)[] ended = [.. from one in results where one.Result is { Outcome: Grains.RecountOutcome.Done, Final: not null } select (one.Unit, one.Result.Final!)];
        UnfinishedHour[] first = [.. ended.Where(one => IsFirst(one.Final) || (one.Final.Versions.Count == 0 && IsDoubted(one.Unit.Hour))).Select(one => one.Unit)];
        await CheckFinalsAroundAsync(at, [.. first.Select(unit => unit.Hour).Distinct()], first);
        long version = position.State.Version + 1;
        var finals = new List<HourFinal>();
        foreach ((UnfinishedHour unit, RecountFinal final) in ended)
        {
            finals.Add(new HourFinal(unit.Hour, unit.Chain, final.Upto, run.Run.Number, events, await VersionsAsync(run, unit, final, version), Now));
        }

        if (finals.Count > 0)
        {
            position.State.Version = version;
            position.State.Unsettled = [.. position.State.Unsettled.TakeLast(MostUnsettled - 1), version];
            await WritePositionAsync();
            foreach (HourFinal final in finals)
            {
                await ledger.WriteFinalAsync(final, _stop.Token);
            }

            position.State.Unsettled.Remove(version);
            at.Finals += finals.Count;
            at.HistoryRows += results.Sum(one => one.Result is { Outcome: Grains.RecountOutcome.Done, Final: { } final } ? final.HistoryRows : 0);
        }

        // 3.
        foreach ((UnfinishedHour unit, RecountResult result) in results)
        {
            Take(run, at, unit, result, giveUp);
        }

        if (!again)
        {
            at.Hour = wave[^1].Hour;
            at.Chain = wave[^1].Chain;
        }

        wave.Clear();
        await WritePositionAsync();
    }

    /// <summary>Whether the manifests of a wave's chains are whole: each is asked until it answers, and what is wrong is one of its troubles.</summary>
    private async Task CheckManifestsAsync(PlannedRun run, RunProgress at, List<UnfinishedHour> wave)
    {
        UnfinishedHour[] firsts = [.. wave.DistinctBy(unit => unit.Chain).Where(unit => !_damage.ContainsKey(unit.Chain))];
        // The schedule's runs come by the hour, and believe what is young; others are asked for by somebody.
        bool asked = run.Run.Reason is not ("schedule" or "late");
        string[]?[] found = await Task.WhenAll(firsts.Select(unit => CheckManifestAsync(unit.Chain, asked)));
        foreach ((UnfinishedHour unit, string[]? faults) in firsts.Zip(found))
        {
            if (faults is null)
            {
                continue; // the next wave asks again
            }

            string? damage = _damage[unit.Chain] = faults.Length == 0 ? null : string.Join("; ", faults);
            if (damage is not null && !at.Troubles.Exists(trouble => trouble.Chain == unit.Chain && trouble.Code == ManifestDamaged))
            {
                LogTrouble(logger, run.Run.Number, Time(unit.Hour), unit.Chain, ManifestDamaged, damage);
                Note(at, new RunTrouble(unit.Hour, unit.Chain, ManifestDamaged, $"{damage}. No count of the chain is lowered until then"));
            }
        }
    }

    /// <summary>What is wrong with a chain's manifest; null where it does not say.</summary>
    private async Task<string[]?> CheckManifestAsync(int chain, bool asked)
    {
        try
        {
            return [.. await GrainFactory.GetGrain<IArchiveGrain>(chain).CheckManifestAsync(asked).WaitAsync(_stop.Token)];
        }
#pragma warning disable CA1031 // its silo died, or is starting: the archive says it in its status, and to the next run
        catch (Exception error) when (!_stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(logger, error);
            return null;
        }
    }

    private static void Note(RunProgress at, RunTrouble trouble)
    {
        if (at.Troubles.Count < MostTroubles)
        {
            at.Troubles.Add(trouble);
        }
    }

    private async Task<RecountResult> RecountAsync(
        PlannedRun run, UnfinishedHour unit, long events, int attempt, IReadOnlyDictionary<string, RollupStart> starts)
    {
        IReadOnlyList<InvalidationSpan> spans = [.. invalidations.State.Invalidations.Where(one => one.From is not null && Touches(one.Invalidation.Request.Filter, unit.Hour)).Select(one => one.Span)];
        InvalidationSpan? candidate = run.Candidate is long number && invalidations.State.Invalidations.Find(one => one.Invalidation.Number == number) is { } kept
            && Touches(kept.Invalidation.Request.Filter, unit.Hour)
            ? kept.Span
            : null;
        var request = new RecountRequest(
            run.Run.Number, unit.Hour, unit.Chain, run.Run.Request.DryRun, HadPassed(run, unit), events, spans, attempt, candidate, run.Run.Request.Mode,
            [.. starts.Where(start => !start.Value.Covers(unit.Hour, unit.Hour + 1)).Select(start => start.Key)], run.Run.Request.Rebuild?.Rollup,
            _damage.GetValueOrDefault(unit.Chain),
            position.State.Sweep is { Astray.Count: > 0 } sweep ? [.. sweep.Astray.Where(row => row.Hour == unit.Hour && row.Chain == unit.Chain)] : null,
            position.State.Version,
            position.State.Sweep is { Named.Count: > 0 } search ? [.. search.Named.Where(window => window.Hour == unit.Hour && window.Chain == unit.Chain).Select(window => window.Series)] : null,
            run.Run.Request.FromHour);
        try
        {
            return await GrainFactory.GetGrain<IRecountGrain>(RecountGrain.Key(unit.Chain, unit.Hour)).RecountAsync(request, _stop.Token);
        }
#pragma warning disable CA1031 // its silo died, or is starting: another one does it
        catch (Exception error) when (!_stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(logger, error);
            return new RecountResult(Grains.RecountOutcome.Again, Failed, error.Message, 0, 0, 0);
        }
    }

    /// <summary>Whether an hour was called final, as one without clicks, if the ledger says nothing else of it.</summary>
    private bool HadPassed(PlannedRun run, UnfinishedHour unit) =>
        unit.Hour < run.PassedBelow && !position.State.ForgotUnfinished && !position.State.Unfinished.Contains(unit) && !IsDoubted(unit.Hour);

    private void Take(PlannedRun run, RunProgress at, UnfinishedHour unit, RecountResult result, bool giveUp)
    {
        at.ClicksRead += result.ClicksRead;
        at.Corrections += result.Corrections;
        at.ClicksChanged += result.ClicksChanged;
        at.Changes = RollupChange.Sum(at.Changes.Concat(result.Changes ?? []));
        if (result.Outcome == Grains.RecountOutcome.Again && !giveUp && at.Deferred.Count < MostDeferred)
        {
            at.Deferred.Add(unit);
            at.IsUncertain |= result.Code == Failed;
            _waitsFor = $"{Time(unit.Hour)}: {result.Message ?? result.Code}";
            return;
        }

        if (result.Outcome == Grains.RecountOutcome.Done)
        {
            at.Done++;
            position.State.Unfinished.Remove(unit);
            if (!run.Run.Request.DryRun)
            {
                position.State.Sweep?.Astray.RemoveAll(row => row.Hour == unit.Hour && row.Chain == unit.Chain);
                position.State.Sweep?.Named.RemoveAll(window => window.Hour == unit.Hour && window.Chain == unit.Chain);
            }

            if (result.Code is { } code)
            {
                Tell(code);
            }

            return;
        }

        NoteGap(run, at, unit.Hour);
        Tell(result.Code ?? Failed);
        if (!run.Run.Request.DryRun && !HadPassed(run, unit))
        {
            NoteUnfinished(unit);
        }

        void Tell(string code)
        {
            LogTrouble(logger, run.Run.Number, Time(unit.Hour), unit.Chain, code, result.Message ?? "");
            Note(at, new RunTrouble(unit.Hour, unit.Chain, code, result.Message ?? ""));
        }
    }

    private void NoteUnfinished(UnfinishedHour unit)
    {
        if (position.State.Unfinished.Contains(unit))
        {
            return;
        }

        if (position.State.Unfinished.Count == MostUnfinished)
        {
            position.State.Unfinished.RemoveAt(0);
            position.State.ForgotUnfinished = true;
        }

        position.State.Unfinished.Add(unit);
    }

    private async Task EndAsync(PlannedRun run, RunProgress at)
    {
        await NoteRebuiltAsync(run, at);
        await CountAgainAsync(run, at);

        // Hours that it found without their finalisation are final anew: the runs that made them so lack it from now on.
        await CheckFinalsAroundAsync(at, run.Run.Request.DryRun ? [] : [.. at.Troubles.Where(trouble => trouble.Code == FinalGone).Select(trouble => trouble.Hour).Distinct()]);
        RunState state = at.Troubles.Count == 0 ? RunState.Done : RunState.DoneInPart;
        if (state == RunState.Done)
        {
            at.Done = at.Planned = Math.Max(at.Planned, at.Done); // the last wave before a death was not noted
        }

        ReconciliationRun now = runs.State.Runs.Find(one => one.Run.Number == run.Run.Number)?.Run ?? run.Run;
        ReconciliationRun ended = WithProgress(now with { State = RunState.Running }) with { State = state, EndedAt = Now, StartedAt = now.StartedAt ?? Now };
        Replace(run with { Proof = ProofOf(run, at) }, ended);
        await runs.WriteStateAsync();
        position.State.Current = null;
        await WritePositionAsync();
        LogEnded(logger, ended.Number, ended.Reason, ended.HoursPlanned, state, ended.Corrections, ended.ClicksChanged);
    }

    /// <summary>What a try that died has corrected it told nobody: then the ledger says what the run did.</summary>
    private async Task CountAgainAsync(PlannedRun run, RunProgress at)
    {
        if (!at.IsUncertain)
        {
            return;
        }

        (at.Corrections, at.ClicksChanged) = (0, 0);
        var changes = new List<RollupChange>();
        for (int hour = run.Run.Request.FromHour; hour < run.Run.Request.ToHour; hour++)
        {
            CorrectionRow? after = null;
            IReadOnlyList<CorrectionRow> page;
            do
            {
                page = await ledger.ReadCorrectionsAsync(hour, after, LedgerPage, _stop.Token);
                CorrectionRow[] rows = [.. page.Where(row => row.Run == run.Run.Number && row.Cause != CorrectionCause.None && row.State is CorrectionState.Settled or CorrectionState.Dry)];
                at.Corrections += rows.Length;
                at.ClicksChanged += rows.Where(row => row.Key.Series == "total").Sum(row => row.After.Sum() - row.Before.Sum());
                changes = RollupChange.Sum(changes.Concat(rows.Select(row => Corrector.ChangeOf(row.Key.Series, row.Before, row.After))));
                after = page.Count > 0 ? page[^1] : after;
            }
            while (page.Count == LedgerPage);
        }

        at.Changes = changes;
    }

    private void Replace(PlannedRun run, ReconciliationRun by)
    {
        int place = runs.State.Runs.FindIndex(one => one.Run.Number == run.Run.Number);
        runs.State.Runs[place] = run with { Run = by };
    }

    /// <summary>The hours of chains that a run goes over, behind one, by hour and chain.</summary>
    private async IAsyncEnumerable<UnfinishedHour> UnitsAsync(PlannedRun run, int afterHour, int afterChain)
    {
        RunRequest request = run.Run.Request;
        int from = Math.Max(request.FromHour, afterHour);
        IReadOnlyList<int> every = run.Run.Reason switch
        {
            "asked" => await chains.AllAsync(),
            "schedule" => await chains.CurrentAsync(_stop.Token),
            _ => [],
        };
        IReadOnlyList<int> archived = run.OnlyOpen || every.Count > 0 ? [] : await chains.AllAsync();
        IReadOnlySet<int> archivedDays = await ArchivedDaysAsync(run, from, archived);
        while (from < request.ToHour)
        {
            int to = Math.Min(request.ToHour, from + 24);
            IReadOnlyList<HourMark> marks;
            if (run.OnlyOpen)
            {
                marks = await ledger.ReadOpenHoursAsync(from, request.ToHour, MostOpen, _stop.Token);
                to = marks.Count == MostOpen ? marks[^1].Hour : request.ToHour;
            }
            else
            {
                marks = await ledger.ReadHoursAsync(from, to, _stop.Token);
            }

            // Hours without clicks, too: somebody may have invented windows there.
            int everyFrom = run.OnlyOpen ? Math.Max(from, request.ToHour - RecentHours) : from;
            foreach (HourMark mark in marks)
            {
                _needed[mark.Chain] = Math.Max(_needed.GetValueOrDefault(mark.Chain), mark.Upto);
            }

            IEnumerable<UnfinishedHour> units = marks.Where(mark => mark.Hour < to).Select(mark => new UnfinishedHour(mark.Hour, mark.Chain));
            int[] days = [.. new[] { from / 24, (to - 1) / 24 }.Distinct().Where(archivedDays.Contains)];
            if (days.Length > 0)
            {
                int first = from;
                units = units.Concat((await ArchivedHoursAsync(run, days, archived)).Where(unit => unit.Hour >= first && unit.Hour < to)).Distinct();
            }

            if (every.Count > 0 && everyFrom < to)
            {
                units = units.Concat(Enumerable.Range(everyFrom, to - everyFrom).SelectMany(hour => every.Select(chain => new UnfinishedHour(hour, chain)))).Distinct();
            }

            foreach (UnfinishedHour unit in units.OrderBy(unit => unit.Hour).ThenBy(unit => unit.Chain)
                .Where(unit => unit.Hour > afterHour || (unit.Hour == afterHour && unit.Chain > afterChain)).ToList())
            {
                yield return unit;
            }

            from = Math.Max(to, from + 1);
        }
    }

    private static bool Touches(InvalidationFilter filter, int hour) => filter.ToTime > hour * HourMilliseconds && filter.FromTime < (hour + 1) * HourMilliseconds;
}
