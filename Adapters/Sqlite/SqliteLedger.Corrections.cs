using System.Runtime.CompilerServices;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Adapters.Sqlite;

/// <content>Corrections, and counts as they stood before.</content>
internal sealed partial class SqliteLedger
{
    private const int RowsPerRead = 1_000;

    public Task WriteCorrectionsAsync(IReadOnlyList<CorrectionRow> rows, CancellationToken cancellationToken) =>
        WriteAsync(rows, some => new CorrectionsWrite(some), cancellationToken);

    public Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsAsync(int hour, CorrectionRow? after, int limit, CancellationToken cancellationToken) => ReadAsync(
        """
        SELECT series, hour, chain, run, cause, state, before, after, upto, at, detail FROM corrections
        WHERE hour = ? AND (chain, series, run) > (?, ?, ?) ORDER BY chain, series, run LIMIT ?
        """,
        get => get.Bind(1, hour).Bind(2, after?.Key.Chain ?? long.MinValue).Bind(3, after?.Key.Series ?? "").Bind(4, after?.Run ?? long.MinValue)
            .Bind(5, Math.Max(0, limit)),
        CorrectionOf,
        cancellationToken);

    public Task<IReadOnlyList<CorrectionRow>> ReadCorrectionsOfAsync(
        string series, int fromHour, int toHour, CorrectionRow? after, int limit, CancellationToken cancellationToken)
    {
        // A row before the range is behind nothing of it.
        after = after is { } row && row.Key.Hour < fromHour ? null : after;
        return ReadAsync(
            """
            SELECT series, hour, chain, run, cause, state, before, after, upto, at, detail FROM corrections
            WHERE series = ? AND hour < ? AND (hour, chain, run) > (?, ?, ?) ORDER BY hour, chain, run LIMIT ?
            """,
            get => get.Bind(1, series).Bind(2, toHour).Bind(3, after?.Key.Hour ?? fromHour).Bind(4, after?.Key.Chain ?? long.MinValue)
                .Bind(5, after?.Run ?? long.MinValue).Bind(6, Math.Max(0, limit)),
            CorrectionOf,
            cancellationToken);
    }

    public Task WriteHistoryAsync(IReadOnlyList<HistoryRow> rows, CancellationToken cancellationToken) =>
        WriteAsync(rows, some => new HistoryWrite(some), cancellationToken);

    public Task<IReadOnlyList<HistoryRow>> ReadHistoryAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) => ReadOfAsync(
        """
        SELECT hour, chain, ordinal, minutes, quarters FROM history
        WHERE series = ? AND hour >= ? AND hour < ? ORDER BY hour, chain, ordinal
        """,
        series,
        fromHour,
        toHour,
        static (one, get) => new HistoryRow(
            new WindowKey(one, (int)get.Number(0), (int)get.Number(1)), (int)get.Number(2), get.IsNull(3) ? null : Counts(get, 3, 60), Counts(get, 4, 4)),
        cancellationToken);

    public Task<IReadOnlyList<HistoryMark>> ReadHistoryMarksAsync(
        IReadOnlyList<string> series, int fromHour, int toHour, CancellationToken cancellationToken) => ReadOfAsync(
        """
        SELECT hour, chain, ordinal, sum FROM history_marks
        WHERE series = ? AND hour >= ? AND hour < ? ORDER BY hour, chain, ordinal
        """,
        series,
        fromHour,
        toHour,
        static (one, get) => new HistoryMark(new WindowKey(one, (int)get.Number(0), (int)get.Number(1)), (int)get.Number(2), get.Number(3)),
        cancellationToken);

    public async IAsyncEnumerable<HistoryMark> ScanHistoryMarksAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HistoryMark? last = null;
        IReadOnlyList<HistoryMark> marks;
        do
        {
            marks = await ReadAsync(
                """
                SELECT series, hour, chain, ordinal, sum FROM history_marks
                WHERE (series, hour, chain, ordinal) > (?, ?, ?, ?) ORDER BY series, hour, chain, ordinal LIMIT ?
                """,
                get => get.Bind(1, last?.Key.Series ?? "").Bind(2, last?.Key.Hour ?? long.MinValue).Bind(3, last?.Key.Chain ?? long.MinValue)
                    .Bind(4, last?.Ordinal ?? long.MinValue).Bind(5, RowsPerRead),
                static row => new HistoryMark(new WindowKey(row.Text(0), (int)row.Number(1), (int)row.Number(2)), (int)row.Number(3), row.Number(4)),
                cancellationToken);
            foreach (HistoryMark mark in marks)
            {
                yield return mark;
                last = mark;
            }
        }
        while (marks.Count == RowsPerRead);
    }

    /// <summary>The rows of some series, in one view.</summary>
    private Task<IReadOnlyList<T>> ReadOfAsync<T>(
        string sql, IReadOnlyList<string> series, int fromHour, int toHour, Func<string, Statement, T> read, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<T>>(
            session =>
            {
                var rows = new List<T>();
                foreach (string one in series)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    rows.AddRange(Rows(session, sql, get => get.Bind(1, one).Bind(2, fromHour).Bind(3, toHour), get => read(one, get)));
                }

                return rows;
            },
            cancellationToken);

    private static CorrectionRow CorrectionOf(Statement row) => new(
        row.Number(3),
        new WindowKey(row.Text(0), (int)row.Number(1), (int)row.Number(2)),
        (CorrectionCause)row.Number(4),
        (CorrectionState)row.Number(5),
        Counts(row, 6, 4),
        Counts(row, 7, 4),
        row.Number(8),
        row.Number(9),
        row.IsNull(10) ? null : row.Text(10));

    private static long[] Counts(Statement row, int column, int length)
    {
        long[] counts = new long[length];
        CountCodec.Read(row.Bytes(column), counts);
        return counts;
    }
}
