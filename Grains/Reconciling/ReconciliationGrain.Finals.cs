using ClickAggregator.Grains.Partitions;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Reconciling;

/// <content>
/// Finalisations that somebody took away. An hour without one counts as one that was final without a click, and its earlier versions would
/// be answered so: it has to be told from an hour of which nothing was ever kept. An hour with clicks that was in a run is final or open;
/// and each run says how many finalisations it wrote, which stay in the rows of their hours for good.
/// </content>
internal sealed partial class ReconciliationGrain
{
    internal const string FinalGone = "final_gone";

    /// <summary>Runs of the schedule write finalisations of the last <see cref="RecentHours"/>, so those of two days are whole in here.</summary>
    private const int CheckedHours = 5 * 24;

    private const int HoursRead = 30 * 24;
    private const int MostSuspects = 10;

    // Of hours with kept counts, the last place of one; null until the run needs it.
    private Dictionary<UnfinishedHour, int>? _keptUpTo;

    /// <summary>
    /// Looks for finalisations of some hours that are gone. Such hours are opened, and never taken for hours without clicks; what is answered
    /// is said by the run that is planned next. At most <see cref="MostTroubles"/>.
    /// </summary>
    /// <param name="fromHour">The first hour.</param>
    /// <param name="toHour">The one behind the last.</param>
    /// <param name="opened">Hours that became final for the first time just now, behind runs that had found no click in them: those of which a run lacks a finalisation may be among them.</param>
    private async Task<IReadOnlyList<RunTrouble>> CheckFinalsAsync(int fromHour, int toHour, params IReadOnlyList<UnfinishedHour> opened)
    {
        fromHour = Math.Max(fromHour, FirstRebuilt(null));
        var troubles = new List<RunTrouble>();
        PlannedRun[] proven = [.. runs.State.Runs.Where(run => run.Proof is { } proof && proof.FromHour >= fromHour && proof.ToHour <= toHour).OrderBy(run => run.Proof!.AfterVersion)];
        long[] after = [.. proven.Select(run => run.Proof!.AfterVersion)];
        long[] left = [.. proven.Select(run => run.Proof!.Finals - run.Proof.Missing)];
        for (int from = fromHour; from < toHour && troubles.Count < MostTroubles; from += HoursRead)
        {
            int to = Math.Min(toHour, from + HoursRead);
            IReadOnlyList<HourMark> marks = await ledger.ReadHoursAsync(from, to, _stop.Token);
            IReadOnlyList<HourFinal> finals = await ledger.ReadFinalsAsync(from, to, _stop.Token);
            foreach (long version in finals.SelectMany(final => final.Versions.Distinct()))
            {
                if (PlaceOf(version, proven, after) is int place)
                {
                    left[place]--;
                }
            }

            HashSet<(int, int)> known = [.. finals.Select(final => (final.Hour, final.Chain))];
            HourMark[] without = [.. marks.Where(mark => mark.Upto > 0 && !known.Contains((mark.Hour, mark.Chain)) && !position.State.Unfinished.Contains(new UnfinishedHour(mark.Hour, mark.Chain)))];
            foreach (HourMark mark in await NotOpenAsync(without, from, to))
            {
                var trouble = new RunTrouble(mark.Hour, mark.Chain, FinalGone, $"the hour was in a run, and its row of final_hours is gone: it is recounted, and versions before are not answered");
                LogGone(logger, Time(mark.Hour), mark.Chain, trouble.Message);
                troubles.Add(trouble);
                NoteUnfinished(new UnfinishedHour(mark.Hour, mark.Chain));
                await ledger.ReopenAsync(mark.Hour, mark.Chain, position.State.Version, _stop.Token);
                if (troubles.Count == MostTroubles)
                {
                    break;
                }
            }
        }

        // Where it broke off not all of them were counted.
        int[] lacking = troubles.Count < MostTroubles ? [.. Enumerable.Range(0, proven.Length).Where(n => left[n] > 0).Take(MostTroubles - troubles.Count)] : [];
        foreach (int n in lacking)
        {
            PlannedRun run = proven[n];
            long missing = left[n];
            UnfinishedHour[] suspects = [.. opened.Where(hour => run.Proof!.Covers(hour.Hour)).Take(MostSuspects)];
            string perhaps = suspects.Length == 0 ? "" : $"; a click may have opened {string.Join(", ", suspects.Select(hour => Text($"{Time(hour.Hour)} of chain {hour.Chain}")))} before anybody saw it";
            var trouble = new RunTrouble(
                run.Proof!.FromHour, 0, FinalGone,
                Text($"run {run.Run.Number} made hours of chains final {run.Proof.Finals} times, from {Time(run.Proof.FromHour)} to {Time(run.Proof.ToHour)}, and {missing} of these are in no row of final_hours any more{perhaps}"));
            LogGone(logger, Time(run.Proof.FromHour), 0, trouble.Message);
            troubles.Add(trouble);
            runs.State.Runs[runs.State.Runs.IndexOf(run)] = run with { Proof = run.Proof with { Missing = run.Proof.Missing + missing } };
        }

        if (troubles.Count > lacking.Length)
        {
            await WritePositionAsync();
        }

        if (lacking.Length > 0)
        {
            await WriteOrReadAsync(runs);
        }

        return troubles;
    }

    /// <summary>Which of some runs gave a version; null for none of them.</summary>
    /// <param name="version">The version.</param>
    /// <param name="proven">The runs, the first before the later ones.</param>
    /// <param name="after">The last version before each.</param>
    private static int? PlaceOf(long version, PlannedRun[] proven, long[] after)
    {
        int place = Array.BinarySearch(after, version);
        place = (place < 0 ? ~place : place) - 1;
        return place >= 0 && version <= proven[place].Proof!.ToVersion ? place : null;
    }

    /// <summary>
    /// Those of some hours without a finalisation that no batch has opened: a start over Cassandra may have, or the search for rows without a
    /// name. A batch may be under way that has noted its hour and opens it just
    /// now: asked again once what noted it is complete.
    /// </summary>
    private async Task<IReadOnlyList<HourMark>> NotOpenAsync(HourMark[] without, int fromHour, int toHour)
    {
        var found = new List<HourMark>();
        if (without.Length == 0)
        {
            return found;
        }

        var next = new Dictionary<int, long>();
        foreach (int chain in without.Select(mark => mark.Chain).Distinct())
        {
            try
            {
                CountedChain counted = await chains.GetAsync(chain, _stop.Token);
                next[chain] = counted.State == CountedChainState.Standing ? 0 : counted.Next;
            }
#pragma warning disable CA1031 // its silo died, or is starting, or there is no such chain: the next look asks again
            catch (Exception error) when (!_stop.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(logger, error);
            }
        }

        IReadOnlyList<HourMark> open = await ledger.ReadOpenHoursAsync(fromHour, toHour, int.MaxValue, _stop.Token);
        HashSet<(int, int)> opened = [.. open.Where(mark => mark.Upto > 0).Select(mark => (mark.Hour, mark.Chain))];
        found.AddRange(without.Where(mark => mark.Upto <= next.GetValueOrDefault(mark.Chain) && !opened.Contains((mark.Hour, mark.Chain))));
        return found;
    }

    /// <summary>Whether an hour would be final for the first time behind one that counted as final without a click.</summary>
    private static bool IsFirst(RecountFinal final) => final.Versions is [0];

    /// <summary>
    /// Asks the runs that made hours around some of these final whether all are there. A click that came after somebody took away an hour's
    /// finalisation opened it like any other: that there was one is known by these runs alone, so they are asked before it counts as one
    /// without a click.
    /// </summary>
    /// <param name="at">What hears of it.</param>
    /// <param name="hours">The hours.</param>
    /// <param name="opened">Those of which nobody knows yet whether they had one.</param>
    private async Task CheckFinalsAroundAsync(RunProgress at, IReadOnlyList<int> hours, params IReadOnlyList<UnfinishedHour> opened)
    {
        RunProof[] proofs = [.. runs.State.Runs.Select(run => run.Proof).OfType<RunProof>().Where(proof => hours.Any(proof.Covers))];
        if (proofs.Length == 0)
        {
            return;
        }

        foreach (RunTrouble trouble in await CheckFinalsAsync(proofs.Min(proof => proof.FromHour), proofs.Max(proof => proof.ToHour), opened))
        {
            Note(at, trouble);
        }
    }

    /// <summary>
    /// The versions of an hour that becomes final. Where it may have lost its finalisations, none from before are told; and counts that were
    /// kept for these stand under their places still: the new one gets a place behind them.
    /// </summary>
    private async Task<IReadOnlyList<long>> VersionsAsync(PlannedRun run, UnfinishedHour unit, RecountFinal final, long version)
    {
        bool isDoubted = IsFirst(final) && IsDoubted(unit.Hour);
        if (!isDoubted && (final.Versions.Count > 0 || unit.Hour >= run.PassedBelow))
        {
            return [.. final.Versions, version];
        }

        if (_keptUpTo is null)
        {
            _keptUpTo = [];
            await foreach (HistoryMark mark in ledger.ScanHistoryMarksAsync(_stop.Token))
            {
                var of = new UnfinishedHour(mark.Key.Hour, mark.Key.Chain);
                _keptUpTo[of] = Math.Max(_keptUpTo.GetValueOrDefault(of), mark.Ordinal);
            }
        }

        return [.. Enumerable.Repeat(version, 1 + Math.Max(_keptUpTo.GetValueOrDefault(unit), final.Versions.Count))];
    }

    /// <summary>Whether an hour without a finalisation may have had one that is gone.</summary>
    private bool IsDoubted(int hour) => runs.State.Runs.Exists(run => run.Proof is { Missing: > 0 } proof && proof.Covers(hour));

    /// <summary>What a run that ends has left in the store; null where it left nothing, or not all is known of it.</summary>
    private RunProof? ProofOf(PlannedRun run, RunProgress at) => at.Finals == 0 || at.FromVersion is not long before ? null : new RunProof(
        before, position.State.Version,
        run.OnlyOpen ? Math.Min(run.Run.Request.FromHour, run.Run.Request.ToHour - RecentHours) : run.Run.Request.FromHour, run.Run.Request.ToHour, at.Finals, at.HistoryRows);

    [LoggerMessage(EventId = 2529, Level = LogLevel.Warning, Message = "hour {Hour} of chain {Chain}: {Message}")]
    private static partial void LogGone(ILogger logger, string hour, int chain, string message);
}
