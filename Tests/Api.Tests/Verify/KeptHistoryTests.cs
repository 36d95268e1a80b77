using ClickAggregator.Adapters.Sqlite;
using ClickAggregator.Api.Verify;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Verify;

/// <summary>What <c>verify</c> says of the counts that were kept of earlier versions.</summary>
public sealed class KeptHistoryTests : IAsyncDisposable
{
    private const int Hour = 500_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("kept-history-").FullName;
    private readonly SqliteStore _store;

    public KeptHistoryTests() => _store = SqliteStore.Open(new SqliteOptions { Path = File }, NullLoggerFactory.Instance);

    private string File => Path.Combine(_folder, "store.db");

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Rows_that_are_gone_or_altered_are_counted_and_named()
    {
        HistoryRow[] rows =
        [
            .. from series in (string[])["ad:1", "ad:2", "total"] from hour in Enumerable.Range(Hour, 800) from ordinal in (int[])[1, 2]
               select new HistoryRow(new WindowKey(series, hour, 0), ordinal, null, [ordinal, 2, 3, hour]),
        ];
        await _store.Ledger.WriteHistoryAsync(rows, TestContext.Current.CancellationToken);
        KeptHistory all = await CheckAsync();
        Assert.Equal((4800, 0), (all.Rows, all.Faults));
        Run("DELETE FROM history WHERE series = 'ad:2'");
        Run($"UPDATE history SET quarters = x'0001' WHERE series = 'total' AND hour = {Hour + 7} AND ordinal = 2");
        KeptHistory damaged = await CheckAsync();
        Assert.Equal((4800, 1601, 10), (damaged.Rows, damaged.Faults, damaged.Examples.Count));
        Assert.Contains("what ad:2 had in the hour 2027-01-15T08:00:00Z of chain 0 before its finalisation 2 is gone", damaged.Examples[0], StringComparison.Ordinal);
        KeptHistory one = await CheckAsync(Hour + 7, Hour + 8);
        Assert.Equal((6, 3), (one.Rows, one.Faults));

        // Rows of an older build are believed.
        Run("DELETE FROM history_marks");
        Assert.Equal(0, (await CheckAsync()).Rows);
    }

    [Fact]
    public async Task Many_series_with_few_rows_each_are_asked_for_together()
    {
        HistoryRow[] rows = [.. from series in Enumerable.Range(0, 30_000) select new HistoryRow(new WindowKey($"ad:{series}", Hour + (series % 3_000), 0), 1, null, [1, 2, 3, 4])];
        await _store.Ledger.WriteHistoryAsync(rows, TestContext.Current.CancellationToken);
        Run("DELETE FROM history WHERE series = 'ad:77'");
        KeptHistory all = await CheckAsync();
        Assert.Equal((30_000, 1), (all.Rows, all.Faults));
        Assert.Contains("what ad:77 had", Assert.Single(all.Examples), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_hour_that_is_made_final_twice_while_the_marks_are_read_has_lost_nothing()
    {
        CancellationToken go = TestContext.Current.CancellationToken;
        Run("INSERT INTO grain_state (grain, name, payload, etag) VALUES ('reconciliation', 'position', CAST('{\"Through\":600000,\"ForgotUnfinished\":false,\"Unfinished\":[]}' AS BLOB), 1)");
        await _store.Ledger.WriteFinalAsync(new HourFinal(Hour, 0, 5, 1, 0, [1], 1), go);
        await _store.Ledger.WriteFinalAsync(new HourFinal(Hour + 1, 0, 5, 1, 0, [1], 1), go);
        KeptFinals finals = await KeptFinals.ReadAsync(_store.Ledger, new StatesInSqlite(File), [], int.MinValue, (int.MinValue, int.MaxValue), go);

        // Both get rows up to the third finalisation; one gets the finalisations, too.
        await _store.Ledger.WriteHistoryAsync([.. from hour in (int[])[Hour, Hour + 1] from ordinal in (int[])[1, 2] select new HistoryRow(new WindowKey("total", hour, 0), ordinal, null, [1, 2, 3, ordinal])], go);
        await _store.Ledger.WriteFinalAsync(new HourFinal(Hour, 0, 5, 3, 0, [1, 2, 3], 1), go);
        KeptHistory history = await KeptHistory.CheckAsync(_store.Ledger, finals, int.MinValue, int.MaxValue, VerifyProgress.None, go);
        await finals.CompleteAsync(_store.Ledger, go);
        Assert.Equal((4, 0, 1), (history.Rows, history.Faults, finals.Faults));
        Assert.Equal("hour 2027-01-15T09:00:00Z of chain 0 has rows of the history up to its finalisation 3, and its row of final_hours is gone", Assert.Single(finals.Examples));
    }

    private async Task<KeptHistory> CheckAsync(int from = int.MinValue, int to = int.MaxValue)
    {
        KeptFinals finals = await KeptFinals.ReadAsync(_store.Ledger, new StatesInSqlite(File), [], int.MinValue, (from, to), TestContext.Current.CancellationToken);
        return await KeptHistory.CheckAsync(_store.Ledger, finals, from, to, VerifyProgress.None, TestContext.Current.CancellationToken);
    }

    private void Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File}");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // no input
        command.CommandText = sql;
#pragma warning restore CA2100
        Assert.True(command.ExecuteNonQuery() > 0);
    }
}
