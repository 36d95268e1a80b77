using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Partitions;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling;

/// <content>The history of rollups that were switched on later.</content>
/// <remarks>
/// Every run makes up for what a rollup lacks in the hours it goes over. What is particular about a run that was asked to: it goes
/// over all hours with clicks before the rollup's start, refuses those of which the archive may not have every click, and notes in
/// the end which hours are whole. That is noted before the run is done, so a run that dies in between notes it again.
/// </remarks>
internal sealed partial class ReconciliationGrain
{
    private const int MostGaps = 1000;
    private const int HoursAtOnce = 24 * 366;

    private IRollupHistoryGrain History => GrainFactory.GetGrain<IRollupHistoryGrain>(0);

    public async Task<IReadOnlyList<ReconciliationRun>> RebuildAsync(string rollup, int? fromHour, bool dryRun, string? by)
    {
        RollupStart start = await StartOfAsync(rollup);
        int from = FirstRebuilt(fromHour);
        List<HourRange> lacks = HourRanges.Without(new HourRange(from, start.Hour), start.Rebuilt);
        if (lacks.Count == 0)
        {
            throw new ReconciliationRefusedException(
                "nothing_to_rebuild",
                start.WholeFrom == int.MinValue ? $"{rollup} is whole from the beginning" : $"{rollup} is whole from {Time(start.WholeFrom)} on");
        }

        (from, int to) = (lacks[0].From, lacks[^1].To);
        ReconciliationRun[] known =
        [
            .. runs.State.Runs.Select(run => run.Run).Where(run => run.State <= RunState.Running && run.Request.DryRun == dryRun
                && run.Request.Rebuild is { } other && other.Rollup == rollup && other.Switches == start.Switches),
        ];
        if (known.Length > 0 && known.Min(run => run.Request.Rebuild!.FromHour) <= from && (dryRun || known.Max(run => run.Request.ToHour) >= to))
        {
            return [.. known.Select(WithProgress)];
        }

        ThrowIfMany();
        int young = YoungFrom;
        if (dryRun && young <= from)
        {
            throw new ReconciliationRefusedException("hour_too_young", $"hours can be recounted up to {Time(young)} now: clicks still come to later ones");
        }

        var planned = new List<ReconciliationRun>();
        if (from < young)
        {
            int until = Math.Min(to, young);
            int first = await FirstHourAsync(Math.Max(from, OldestHour), until) ?? until - 1;
            planned.Add(await AddAsync(first, from, until, null));
        }

        if (young < to && !dryRun)
        {
            int later = Math.Max(from, young);
            planned.Add(await AddAsync(later, later, to, (to * HourMilliseconds) + (long)options.Young.TotalMilliseconds));
        }

        return planned;

        async Task<ReconciliationRun> AddAsync(int first, int whole, int until, long? notBefore)
        {
            PlannedRun run = New(new RunRequest(first, until, RunMode.Direct, dryRun, by, new RollupRebuild(rollup, whole, start.Switches)), "rebuild", onlyOpen: false);
            run = run with { Run = run.Run with { NotBefore = notBefore } };
            await EnqueueAsync(run);
            return run.Run;
        }
    }

    private async Task<RollupStart> StartOfAsync(string rollup)
    {
        if (!Rollup.TryParse(rollup, out Rollup? parsed, out string? fault))
        {
            throw new ReconciliationRefusedException("unknown_rollup", "it " + fault);
        }

        if (!counting.Rollups.Contains(parsed))
        {
            throw new ReconciliationRefusedException("rollup_not_enabled", $"clicks are not counted by {rollup}: the setting Rollups has {counting.Rollups}");
        }

        RollupStart? start = (await History.GetStartsAsync()).GetValueOrDefault(rollup);
        return start is { Lacking: null } ? start : throw new ReconciliationRefusedException(
            "rollup_not_enabled", start is null ? $"no partition counts by {rollup} yet" : Text($"partition {start.Lacking} does not count by {rollup} yet: every silo needs it in its setting Rollups"));
    }

    /// <summary>The first hour to make up for: what is forgotten soon cannot be recounted.</summary>
    private int FirstRebuilt(int? asked)
    {
        if (asked is int from)
        {
            if (from < OldestHour)
            {
                throw new ReconciliationRefusedException("invalid_range", "it must begin in 2000 or later");
            }

            ThrowIfForgotten(from);
            return from;
        }

        return counting.Retention is TimeSpan kept ? (int)Math.Floor((Now - kept.TotalMilliseconds) / HourMilliseconds) + 2 : int.MinValue;
    }

    /// <summary>The first hour with clicks, by the store or the archive; null for none.</summary>
    private async Task<int?> FirstHourAsync(int from, int to)
    {
        int? archived;
        try
        {
            archived = await FirstArchivedHourAsync(from, to);
        }
        catch (ArchiveUnavailableException away)
        {
            throw new ReconciliationRefusedException("archive_unavailable", away.Message);
        }

        for (to = archived ?? to; from < to; from += HoursAtOnce)
        {
            IReadOnlyList<HourMark> marks = await ledger.ReadHoursAsync(from, Math.Min(to, from + HoursAtOnce), _stop.Token);
            if (marks.Count > 0)
            {
                return marks.Min(mark => mark.Hour);
            }
        }

        return archived;
    }

    private static void NoteGap(PlannedRun run, RunProgress at, int hour)
    {
        if (run.Run.Request.Rebuild is null)
        {
            return;
        }

        at.Gaps.Add(new HourRange(hour, hour + 1));
        List<HourRange> gaps = HourRanges.Joined(at.Gaps);
        if (gaps.Count > MostGaps)
        {
            // More is called not whole than is not.
            gaps[0] = gaps[0] with { To = gaps[1].To };
            gaps.RemoveAt(1);
        }

        at.Gaps = gaps;
    }

    private async Task NoteRebuiltAsync(PlannedRun run, RunProgress at)
    {
        if (run.Run.Request is not { Rebuild: { } rebuild, DryRun: false } request)
        {
            return;
        }

        List<HourRange> whole = HourRanges.Without(new HourRange(rebuild.FromHour, request.ToHour), at.Gaps);
        if (!await History.NoteRebuiltAsync(rebuild.Rollup, rebuild.Switches, whole, position.State.Version) && at.Troubles.All(trouble => trouble.Code != "rollup_switched"))
        {
            at.Troubles.Add(new RunTrouble(
                request.FromHour, 0, "rollup_switched", $"{rebuild.Rollup} was switched off or on again after this was asked for: ask again"));
        }
    }
}
