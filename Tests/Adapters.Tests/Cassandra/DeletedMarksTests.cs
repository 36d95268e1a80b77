using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>A month of hours made final within three hours, as after a long outage of the archive.</summary>
public class DeletedMarksTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Span = 690;
    private const int FirstHour = Span * Calendar.SpanHours;
    private const int Chains = 75;

    [Fact]
    public async Task More_deleted_marks_than_Cassandra_reads_at_once_hide_no_open_hour()
    {
        CancellationToken go = TestContext.Current.CancellationToken;
        await using StoreInCassandra store = await keyspace.OpenAsync(server);
        foreach (int hour in new[] { FirstHour + 5, FirstHour + 719 })
        {
            await store.Ledger.ReopenAsync(hour, Chains, go);
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
