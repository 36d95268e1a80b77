using ClickAggregator.Grains.Reconciling;

namespace ClickAggregator.Api.Verify;

/// <summary>
/// Holds the counts that were kept of earlier versions against their marks, and the marks against what the finalisations and the runs say
/// that there has to be: a row that was deleted with its mark would else leave nothing behind.
/// </summary>
internal sealed class KeptHistory
{
    private const int RowsAtOnce = 1_000;

    /// <summary>Marks in memory: those of a stretch of hours are read together, so that a request asks for no more of a series than it needs.</summary>
    private const int MostMarks = 20_000;

    private const int HoursTogether = 30 * 24;
    private const int MostExamples = 10;
    private readonly List<string> _examples = [];

    /// <summary>Rows that have to be there.</summary>
    public long Rows { get; private set; }

    /// <summary>Rows that are gone or altered.</summary>
    public long Faults { get; private set; }

    /// <summary>The first of them, in words.</summary>
    public IReadOnlyList<string> Examples => _examples;

    /// <summary>Looks at all that was kept of hours from <paramref name="fromHour"/> to before <paramref name="toHour"/>.</summary>
    /// <param name="ledger">What is kept.</param>
    /// <param name="finals">What has to be there, read before; what the marks show of it is noted there.</param>
    /// <param name="fromHour">Hours since the epoch.</param>
    /// <param name="toHour">The hour after the last.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<KeptHistory> CheckAsync(
        ILedgerStore ledger, KeptFinals finals, int fromHour, int toHour, VerifyProgress progress, CancellationToken cancellationToken)
    {
        var found = new KeptHistory();
        var waiting = new Dictionary<int, List<HistoryMark>>();
        int inMemory = 0;
        await foreach (HistoryMark mark in ledger.ScanHistoryMarksAsync(cancellationToken))
        {
            if (mark.Key.Hour < fromHour || mark.Key.Hour >= toHour)
            {
                continue;
            }

            finals.NoteMark(mark);
            int stretch = (int)Math.Floor(mark.Key.Hour / (double)HoursTogether);
            if (!waiting.TryGetValue(stretch, out List<HistoryMark>? marks))
            {
                waiting[stretch] = marks = [];
            }

            marks.Add(mark);
            inMemory++;
            if (marks.Count == RowsAtOnce || inMemory == MostMarks)
            {
                foreach (int full in inMemory == MostMarks ? waiting.Keys.ToList() : [stretch])
                {
                    inMemory -= waiting[full].Count;
                    await found.CheckAsync(ledger, waiting[full], cancellationToken);
                    waiting.Remove(full);
                }

                progress.Say("rows of the history", found.Rows);
            }
        }

        foreach (List<HistoryMark> marks in waiting.Values)
        {
            await found.CheckAsync(ledger, marks, cancellationToken);
            progress.Say("rows of the history", found.Rows);
        }

        return found;
    }

    private async Task CheckAsync(ILedgerStore ledger, List<HistoryMark> marks, CancellationToken cancellationToken)
    {
        string[] series = [.. marks.Select(mark => mark.Key.Series).Distinct(StringComparer.Ordinal)];
        IReadOnlyList<HistoryRow> rows = await ledger.ReadHistoryAsync(
            series, marks.Min(mark => mark.Key.Hour), marks.Max(mark => mark.Key.Hour) + 1, cancellationToken);
        Rows += marks.Count;
        foreach (string difference in HistoryMark.Differences(marks, rows))
        {
            Faults++;
            if (_examples.Count < MostExamples)
            {
                _examples.Add(difference);
            }
        }
    }
}
