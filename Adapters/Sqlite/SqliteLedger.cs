using ClickAggregator.Grains.Reconciling;

namespace ClickAggregator.Adapters.Sqlite;

/// <summary>What reconciliation reads and keeps: here the hours.</summary>
internal sealed partial class SqliteLedger(SqliteStore store) : ILedgerStore
{
    private const int RowsPerWrite = 1_000;

    /// <summary>On the caller's thread: every query asks it, and few hours are open.</summary>
    public Task<IReadOnlyList<HourMark>> ReadOpenHoursAsync(int fromHour, int toHour, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<HourMark>>(store.Read(session => Rows(
            session,
            "SELECT hour, chain, upto FROM open_hours WHERE hour >= ? AND hour < ? ORDER BY hour, chain LIMIT ?",
            get => get.Bind(1, fromHour).Bind(2, toHour).Bind(3, Math.Max(0, limit)),
            MarkOf)));

    public Task<IReadOnlyList<HourMark>> ReadHoursAsync(int fromHour, int toHour, CancellationToken cancellationToken) => ReadAsync(
        "SELECT hour, chain, upto FROM hours WHERE hour >= ? AND hour < ? ORDER BY hour, chain",
        get => get.Bind(1, fromHour).Bind(2, toHour),
        MarkOf,
        cancellationToken);

    public Task<IReadOnlyList<HourFinal>> ReadFinalsAsync(int fromHour, int toHour, CancellationToken cancellationToken) => ReadAsync(
        "SELECT hour, chain, upto, run, invalidations, versions, at FROM final_hours WHERE hour >= ? AND hour < ? ORDER BY hour, chain",
        get => get.Bind(1, fromHour).Bind(2, toHour),
        static row => new HourFinal(
            (int)row.Number(0), (int)row.Number(1), row.Number(2), row.Number(3), row.Number(4), FinalWrite.Versions(row.Text(5)), row.Number(6)),
        cancellationToken);

    public Task WriteFinalAsync(HourFinal final, CancellationToken cancellationToken) => final.Versions.Count > 0
        ? store.WriteAsync(new FinalWrite(final))
        : throw new ArgumentException("a finalisation has a version", nameof(final));

    public Task ReopenAsync(int hour, int chain, long version, CancellationToken cancellationToken) =>
        store.WriteAsync(new ActionWrite(statements => statements.Ledger.ReopenHour.Bind(1, hour).Bind(2, chain).Bind(3, version).Run()));

    private static HourMark MarkOf(Statement row) => new((int)row.Number(0), (int)row.Number(1), row.Number(2));

    /// <summary>Every row of a question, in one view.</summary>
    private Task<IReadOnlyList<T>> ReadAsync<T>(string sql, Action<Statement> bind, Func<Statement, T> read, CancellationToken cancellationToken) =>
        store.ReadAsync<IReadOnlyList<T>>(session => Rows(session, sql, bind, read), cancellationToken);

    private static List<T> Rows<T>(ReadSession session, string sql, Action<Statement> bind, Func<Statement, T> read)
    {
        Statement get = session.Prepare(sql);
        bind(get);
        var rows = new List<T>();
        try
        {
            while (get.Step())
            {
                rows.Add(read(get));
            }
        }
        finally
        {
            get.Reset();
        }

        return rows;
    }

    /// <summary>Some rows a transaction: others wait for the writer, too.</summary>
    private async Task WriteAsync<T>(IReadOnlyList<T> rows, Func<T[], StoreWrite> write, CancellationToken cancellationToken)
    {
        foreach (T[] some in rows.Chunk(RowsPerWrite))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await store.WriteAsync(write(some));
        }
    }
}
