using ClickAggregator.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Reconciling;

/// <content>
/// Counts of earlier versions that somebody took away with their marks: a question for a version would take their windows for unchanged. Each
/// run says how many it kept; all marks there are are counted once in a round of the search (<see cref="ReconciliationOptions.SweepEvery"/>),
/// beside the runs. Of a run that lacks some, no version before its own is told until they are back.
/// </content>
internal sealed partial class ReconciliationGrain
{
    private const string HistoryGone = "history_gone";

    /// <summary>The runs that lack kept counts, or lacked some, and how many they lack now; empty where that is as it was known.</summary>
    private async Task<IReadOnlyDictionary<long, long>> CountHistoryAsync()
    {
        // Of an hour that lost its finalisation and was made final anew, nobody knows which of them a row was kept for.
        int first = FirstRebuilt(null);
        RunProof[] doubted = [.. runs.State.Runs.Select(run => run.Proof).Where(proof => proof is { Missing: > 0 }).Select(proof => proof!)];
        PlannedRun[] proven =
        [
            .. runs.State.Runs.Where(run => run.Proof is { HistoryRows: > 0 } proof && proof.FromHour >= first
                && !doubted.Any(other => other.FromHour < proof.ToHour && proof.FromHour < other.ToHour)).OrderBy(run => run.Proof!.AfterVersion),
        ];
        if (proven.Length == 0)
        {
            return new Dictionary<long, long>();
        }

        // Finalisations before marks: of the marks that come meanwhile nothing is known, and of none is too much.
        var versions = new Dictionary<(int, int), long[]>();
        int end = proven.Max(run => run.Proof!.ToHour);
        for (int from = proven.Min(run => run.Proof!.FromHour); from < end; from += HoursRead)
        {
            foreach (HourFinal final in await ledger.ReadFinalsAsync(from, Math.Min(end, from + HoursRead), _stop.Token))
            {
                if (final.Versions.Count > 0)
                {
                    versions[(final.Hour, final.Chain)] = [.. final.Versions];
                }
            }
        }

        long[] after = [.. proven.Select(run => run.Proof!.AfterVersion)];
        long[] found = new long[proven.Length];
        var ofHours = new Dictionary<(int Hour, int Chain), long>();
        await foreach (HistoryMark mark in ledger.ScanHistoryMarksAsync(_stop.Token))
        {
            (int, int) key = (mark.Key.Hour, mark.Key.Chain);
            ofHours[key] = ofHours.GetValueOrDefault(key) + 1;
            if (versions.TryGetValue(key, out long[]? ofHour) && mark.Ordinal < ofHour.Length && PlaceOf(ofHour[mark.Ordinal], proven, after) is int place)
            {
                found[place]++;
            }
        }

        // An hour that lost its finalisation has no version from before the run: that was said, and its rows are there, whichever run kept them.
        for (int n = 0; n < proven.Length; n++)
        {
            RunProof proof = proven[n].Proof!;
            found[n] += ofHours.Where(of => proof.Covers(of.Key.Hour) && !(versions.TryGetValue(of.Key, out long[]? ofHour) && ofHour[0] <= proof.AfterVersion)).Sum(of => of.Value);
        }

        return Enumerable.Range(0, proven.Length)
            .Select(n => (proven[n].Run.Number, proven[n].Proof!.MissingRows, Now: Math.Max(0, proven[n].Proof!.HistoryRows - found[n])))
            .Where(run => run.Now != run.MissingRows)
            .ToDictionary(run => run.Number, run => run.Now);
    }

    /// <summary>Takes down what runs lack of the history; answers what is to be said of it.</summary>
    private async Task<IReadOnlyList<RunTrouble>> NoteHistoryAsync(IReadOnlyDictionary<long, long> lacking)
    {
        var troubles = new List<RunTrouble>();
        foreach ((long number, long missing) in lacking.OrderBy(run => run.Key))
        {
            int place = runs.State.Runs.FindIndex(run => run.Run.Number == number);
            if (place < 0 || runs.State.Runs[place].Proof is not { } proof)
            {
                continue; // it is over
            }

            if (missing > proof.MissingRows)
            {
                var trouble = new RunTrouble(
                    proof.FromHour, 0, HistoryGone,
                    Text($"run {number} kept {proof.HistoryRows} rows of earlier versions, of hours from {Time(proof.FromHour)} to {Time(proof.ToHour)}, and {missing} of them are gone with their marks (tables history, history_marks): versions before it are not answered for the hours that it changed. Bring them back from a backup of the store"));
                LogHistoryGone(logger, trouble.Message);
                troubles.Add(trouble);
            }

            runs.State.Runs[place] = runs.State.Runs[place] with { Proof = proof with { MissingRows = missing } };
        }

        if (lacking.Count > 0)
        {
            await WriteOrReadAsync(runs);
            NotePosition();
        }

        return [.. troubles.Take(MostTroubles)];
    }

    [LoggerMessage(EventId = 2530, Level = LogLevel.Warning, Message = "{Message}")]
    private static partial void LogHistoryGone(ILogger logger, string message);
}
