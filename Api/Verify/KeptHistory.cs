using ClickAggregator.Grains.Reconciling;

namespace ClickAggregator.Api.Verify;

/// <summary>Holds the counts that were kept of earlier versions against their marks.</summary>
internal sealed class KeptHistory
{
    private const int RowsAtOnce = 1_000;
    private const int MostExamples = 10;
    private readonly List<string> _examples = [];

    /// <summary>Rows that have to be there.</summary>
    public long Rows { get; private set; }

    /// <summary>Rows that are gone or altered.</summary>
    public long Faults { get; private set; }

    /// <summary>The first of them, in words.</summary>
    public IReadOnlyList<string> Examples => _examples;

    /// <summary>Looks at all that was kept of hours from <paramref name="fromHour"/> to before <paramref name="toHour"/>.</summary>
    public static async Task<KeptHistory> CheckAsync(ILedgerStore ledger, int fromHour, int toHour, CancellationToken cancellationToken)
    {
        var found = new KeptHistory();
        var marks = new List<HistoryMark>();
        await foreach (HistoryMark mark in ledger.ScanHistoryMarksAsync(cancellationToken))
        {
            if (mark.Key.Hour < fromHour || mark.Key.Hour >= toHour)
            {
                continue;
            }

            if (marks.Count == RowsAtOnce || (marks.Count > 0 && marks[^1].Key.Series != mark.Key.Series))
            {
                await found.CheckAsync(ledger, marks, cancellationToken);
                marks.Clear();
            }

            marks.Add(mark);
        }

        await found.CheckAsync(ledger, marks, cancellationToken);
        return found;
    }

    private async Task CheckAsync(ILedgerStore ledger, List<HistoryMark> marks, CancellationToken cancellationToken)
    {
        if (marks.Count == 0)
        {
            return;
        }

        IReadOnlyList<HistoryRow> rows = await ledger.ReadHistoryAsync(
            [marks[0].Key.Series], marks.Min(mark => mark.Key.Hour), marks.Max(mark => mark.Key.Hour) + 1, cancellationToken);
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
