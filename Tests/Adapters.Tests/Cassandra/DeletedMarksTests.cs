using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>Marks of hours that were deleted: by a month of hours made final within three hours, as after a long outage of the archive; and by others.</summary>
public class DeletedMarksTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Span = 690;
    private const int FirstHour = Span * Calendar.SpanHours;
    private const int Chains = 75;

    [Fact]
    public async Task An_hour_whose_finalisation_is_gone_is_opened_by_a_start_and_again_as_one_that_no_click_opened()
    {
        const int Hour = FirstHour + 10_000;
        CancellationToken go = TestContext.Current.CancellationToken;
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        await store.ForgetAsync(TimeProvider.System.GetUtcNow());
        await store.Batches.WriteAsync(new BatchRows(3, 10, 10_000, [Hour, Hour + 1, Hour + 2], [], []), go);
        for (int n = 0; n < 3; n++)
        {
            await store.Ledger.WriteFinalAsync(new HourFinal(Hour + n, 3, 10, 1, 0, [7 + n], 1), go);
        }

        Assert.Empty(await OpenAsync());
        CqlDataSource cql = await keyspace.CqlAsync(server);
        var delete = new CqlStatement($"DELETE FROM {CqlIdentifier.Parse(keyspace.Name)}.final_hours WHERE day = ? AND hour = ? AND chain = 3");
        await cql.ExecuteAsync(delete.Bind(Calendar.DayOf(Hour), Hour), go);
        await store.Ledger.ReopenAsync(Hour, 3, 9, go);
        Assert.Equal([new(Hour, 3, 0)], await OpenAsync());

        await cql.ExecuteAsync(delete.Bind(Calendar.DayOf(Hour + 2), Hour + 2), go);
        await store.ReopenAsync();
        Assert.Equal([new(Hour, 3, 0), new(Hour + 2, 3, 0)], await OpenAsync());

        // Deleted by a clock, it stands above that when it is there again; and those that come late lose.
        foreach (long[] versions in (long[][])[[10], [10, 12], [10], [11]])
        {
            await store.Ledger.WriteFinalAsync(new HourFinal(Hour, 3, 10, versions[^1], 0, versions, 1), go);
        }

        Assert.Equal([(Hour, 12L), (Hour + 1, 8L)], (await store.Ledger.ReadFinalsAsync(Hour, Hour + 3, go)).Select(final => (final.Hour, final.Versions[^1])));
        Assert.Equal([new(Hour + 2, 3, 0)], await OpenAsync());

        // A click that came says so.
        await store.Batches.WriteAsync(new BatchRows(3, 12, 12_000, [Hour + 2], [], []), go);
        Assert.Equal([new(Hour + 2, 3, 12)], await OpenAsync());

        Task<IReadOnlyList<HourMark>> OpenAsync() => store.Ledger.ReadOpenHoursAsync(Hour, Hour + 3, 10, go);
    }

    [Fact]
    public async Task More_deleted_marks_than_Cassandra_reads_at_once_hide_no_open_hour()
    {
        CancellationToken go = TestContext.Current.CancellationToken;
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        foreach (int hour in new[] { FirstHour + 5, FirstHour + 719 })
        {
            await store.Ledger.ReopenAsync(hour, Chains, 2_000, go);
        }

        CqlDataSource cql = await keyspace.CqlAsync(server);
        var name = CqlIdentifier.Parse(keyspace.Name);
        var delete = new CqlStatement($"DELETE upto, stamp FROM {name}.open_hours USING TIMESTAMP 1000 WHERE span = ? AND hour = ? AND chain = ?");
        await Parallel.ForEachAsync(Enumerable.Range(FirstHour, Calendar.SpanHours), go, async (hour, token) =>
        {
            var hours = new CqlBatch();
            for (int chain = 0; chain < Chains; chain++)
            {
                hours.Add(delete.Bind(Span, hour, chain));
            }

            await cql.ExecuteAsync(hours, token);
        });

        var whole = new CqlStatement($"SELECT upto FROM {name}.open_hours WHERE span = ?");
        CqlServerException refused = await Assert.ThrowsAsync<CqlServerException>(async () => await cql.QueryFirstAsync(whole.Bind(Span), go));
        Assert.Equal(CqlErrorCode.ReadFailure, refused.Code);

        IReadOnlyList<HourMark> open = await store.Ledger.ReadOpenHoursAsync(FirstHour, FirstHour + Calendar.SpanHours, 10, go);
        Assert.Equal([(FirstHour + 5, Chains), (FirstHour + 719, Chains)], open.Select(mark => (mark.Hour, mark.Chain)));
        Assert.Equal(FirstHour + 719, Assert.Single(await store.Ledger.ReadOpenHoursAsync(FirstHour + 6, FirstHour + 1000, 10, go)).Hour);
    }
}
