using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling;

/// <content>What is due, and what is asked for.</content>
internal sealed partial class ReconciliationGrain
{
    private const int MostRuns = 1000;
    private const int MostWaiting = 100;
    private const int MostUnits = 100_000;
    private const int MostOpen = 50_000;

    /// <summary>2000-01-01, which no click is older than.</summary>
    private const int OldestHour = 262_968;

    public async Task<ReconciliationRun> StartAsync(RunRequest request)
    {
        if (request.FromHour >= request.ToHour || request.FromHour < OldestHour)
        {
            throw new ReconciliationRefusedException("invalid_range", "the range must have at least one hour, and begin in 2000 or later");
        }

        if (request.ToHour > YoungFrom)
        {
            throw new ReconciliationRefusedException("hour_too_young", $"hours can be recounted up to {Time(YoungFrom)} now: clicks still come to later ones");
        }

        ThrowIfForgotten(request.FromHour);
        if ((request.ToHour - (long)request.FromHour) * Math.Max(1, (await chains.AllAsync()).Count) > MostUnits)
        {
            throw new ReconciliationRefusedException("range_too_large", Text($"a run may have {MostUnits:N0} hours of chains"));
        }

        ThrowIfMany();
        PlannedRun run = New(request, "asked", onlyOpen: false);
        await EnqueueAsync(run);
        return run.Run;
    }

    public Task<ReconciliationRun?> GetRunAsync(long number) =>
        Task.FromResult(runs.State.Runs.Find(run => run.Run.Number == number) is { } run ? WithProgress(run.Run) : null);

    public Task<IReadOnlyList<ReconciliationRun>> GetRunsAsync(long? below, int limit) => Task.FromResult<IReadOnlyList<ReconciliationRun>>(
        [.. runs.State.Runs.Where(run => !(run.Run.Number >= below)).OrderByDescending(run => run.Run.Number).Take(Math.Clamp(limit, 1, MostRuns)).Select(run => WithProgress(run.Run))]);

    private ReconciliationRun WithProgress(ReconciliationRun run)
    {
        run = run with { Search = SearchOf(run) };
        return position.State.Current is { } current && current.Run == run.Number && run.State == RunState.Running
            ? run with
            {
                HoursPlanned = current.Planned,
                HoursDone = current.Done,
                ClicksRead = current.ClicksRead,
                Corrections = current.Corrections,
                ClicksChanged = current.ClicksChanged,
                Changes = [.. current.Changes],
                Troubles = [.. current.Troubles],
                WaitsFor = current.Deferred.Count > 0 ? _waitsFor : null,
            }
            : run;
    }

    /// <summary>
    /// Hours that ended long enough ago, and that every partition has counted so far behind that later clicks are late ones, go
    /// into a run; hours that late clicks came to go into one now and then.
    /// </summary>
    private async Task PlanAsync()
    {
        PositionDocument state = position.State;
        long counted = Counted();
        int target = (int)Math.Min(
            Math.Floor((Now - options.After.TotalMilliseconds) / HourMilliseconds), Math.Floor((counted - options.Young.TotalMilliseconds) / HourMilliseconds));
        if (counted > 0 && state.Through is null)
        {
            IReadOnlyList<HourMark> first = await ledger.ReadOpenHoursAsync(OldestHour, target, 1, _stop.Token);
            state.Through = first.Count > 0 ? first[0].Hour : target;
            await WritePositionAsync();
        }

        if (state.Through is not int through)
        {
            return;
        }

        if (counted > 0 && target > through)
        {
            IReadOnlyList<RunTrouble> gone = await CheckFinalsAsync(target - CheckedHours, through);
            IReadOnlyList<HourMark> open = await ledger.ReadOpenHoursAsync(through, target, MostOpen, _stop.Token);
            target = open.Count == MostOpen ? Math.Max(through + 1, open[^1].Hour) : target;

            // The run first: hours behind Through that are in none would wait for the next look at late ones.
            await EnqueueAsync(New(new RunRequest(through, target, options.Mode, false, null), "schedule", onlyOpen: true, passedBelow: through, troubles: gone));
            state.Through = target;
            await WritePositionAsync();
        }
        else if (Now - state.LateAt >= options.LateEvery.TotalMilliseconds)
        {
            IReadOnlyList<RunTrouble> gone = await CheckFinalsAsync(OldestHour, through);
            IReadOnlyList<HourMark> late = await ledger.ReadOpenHoursAsync(OldestHour, through, MostOpen, _stop.Token);
            RunTrouble[] troubles = [.. gone.Concat(state.Sweep?.Left ?? []).Take(MostTroubles)];
            if (late.Count > 0 || troubles.Length > 0)
            {
                // What is gone, or was left, is said by a run also where no hour is to be recounted.
                (int first, int last) = late.Count > 0 ? (late[0].Hour, late[^1].Hour) : (troubles[0].Hour, troubles[0].Hour);
                await EnqueueAsync(New(new RunRequest(first, last + 1, options.Mode, false, null), "late", onlyOpen: true, passedBelow: through, troubles: troubles));
            }

            state.Sweep?.Left.Clear();

            // What is more is looked for when these hours are done. Before the first run the clicks may be on their way that somebody brings along.
            state.LateAt = gone.Count < MostTroubles && runs.State.Runs.Count > 0 ? Now : 0;
            await WritePositionAsync();
        }

        instruments.Due((await ledger.ReadOpenHoursAsync(OldestHour, position.State.Through ?? OldestHour, MostOpen, _stop.Token)).Count);
    }

    /// <summary>Log time until which every partition has counted all that is known to come; 0 where one does not say.</summary>
    private long Counted()
    {
        IReadOnlyList<PartitionProgress> partitions = progress.Snapshot();
        return partitions.Count == 0 || partitions.Any(partition => partition.State != PartitionState.Counting)
            ? 0
            : sources.Until(partitions.Min(partition => partition.CountedUntil));
    }

    private PlannedRun New(RunRequest request, string reason, bool onlyOpen, int? passedBelow = null, long? candidate = null, IReadOnlyList<RunTrouble>? troubles = null) => new(
        new ReconciliationRun(runs.State.Next, request, reason, RunState.Waiting, Now, null, null, 0, 0, 0, 0, 0, troubles ?? []),
        onlyOpen,
        passedBelow ?? position.State.Through ?? int.MinValue,
        candidate);

    private async Task EnqueueAsync(PlannedRun run)
    {
        runs.State.Runs.Add(run);
        runs.State.Next = run.Run.Number + 1;

        // One that lacks kept counts is what versions are refused by.
        runs.State.Runs.RemoveAll(old => old.Run.State > RunState.Running && old.Run.Number <= run.Run.Number - MostRuns && !(old.Proof is { MissingRows: > 0 } proof && proof.ToHour > FirstRebuilt(null)));
        await WriteOrReadAsync(runs);
        Wake();
    }

    /// <summary>Writes; where that fails, the memory becomes what the store has.</summary>
    private async Task WriteOrReadAsync<T>(IPersistentState<T> state)
    {
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            DeactivateOnIdle();
            await _stop.CancelAsync();
            throw;
        }
    }

    private void ThrowIfForgotten(int fromHour)
    {
        if (IsForgotten(fromHour) && counting.Retention is TimeSpan kept)
        {
            throw new ReconciliationRefusedException("forgotten", $"counts are kept for {kept.TotalDays:0} days: hours before {Time((int)((Now - kept.TotalMilliseconds) / HourMilliseconds) + 2)} are not recounted");
        }
    }

    /// <summary>Whether the counts of an hour are over, or nearly.</summary>
    private bool IsForgotten(int hour) => counting.Retention is TimeSpan kept && (hour - 1) * HourMilliseconds < Now - kept.TotalMilliseconds;

    private void ThrowIfMany()
    {
        if (runs.State.Runs.Count(run => run.Run.State <= RunState.Running) >= MostWaiting)
        {
            throw new ReconciliationRefusedException("too_many_runs", Text($"{MostWaiting} runs wait already"));
        }
    }
}
