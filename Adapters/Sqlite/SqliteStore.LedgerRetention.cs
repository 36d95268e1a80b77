namespace ClickAggregator.Adapters.Sqlite;

/// <content>Forgetting what reconciliation noted of a day: when no series is left in it.</content>
public sealed partial class SqliteStore
{
    private async Task ForgetLedgerAsync(long endDay, long before, CancellationToken cancellationToken)
    {
        await ForgetLedgerAsync("open_hours", statements => statements.ForgetOpen, endDay, before, cancellationToken);
        await ForgetLedgerAsync("final_hours", statements => statements.ForgetFinals, endDay, before, cancellationToken);
        await ForgetLedgerAsync("corrections", statements => statements.ForgetCorrections, endDay, before, cancellationToken);
        await ForgetLedgerAsync("history_marks", statements => statements.ForgetHistoryMarks, endDay, before, cancellationToken);
        await ForgetLedgerAsync("history", statements => statements.ForgetHistory, endDay, before, cancellationToken);
    }

    private async Task ForgetLedgerAsync(
        string table, Func<LedgerStatements, Statement> forget, long endDay, long before, CancellationToken cancellationToken)
    {
        // From day to day; what stays is passed over.
        for (long day = long.MinValue / 48; ; day++)
        {
            long from = day * 24;
            if (await ReadAsync(session => FirstHour(session, table, from, endDay * 24), cancellationToken) is not long hour)
            {
                return;
            }

            day = Floor(hour, 24);
            int gone;
            do
            {
                gone = 0;
                await _writer.WriteAsync(new ActionWrite(statements => gone = forget(statements.Ledger)
                    .Bind(1, day * 24).Bind(2, RowsPerStep).Bind(3, day).Bind(4, before).Run()));
            }
            while (gone == RowsPerStep);
        }
    }

    private static long? FirstHour(ReadSession session, string table, long from, long to)
    {
        Statement get = session.Prepare($"SELECT hour FROM {table} WHERE hour >= ? AND hour < ? ORDER BY hour LIMIT 1").Bind(1, from).Bind(2, to);
        try
        {
            return get.Step() ? get.Number(0) : null;
        }
        finally
        {
            get.Reset();
        }
    }
}
