using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using static ClickAggregator.Adapters.Tests.Contracts.WindowAccess;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>Notes of what came late, where not every silo writes them.</summary>
public class LateDaysTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task Rankings_see_what_a_build_without_notes_of_late_days_counts_beside_and_after_the_upgrade()
    {
        await using StoreInCassandra store = await StoreInCassandra.OpenAsync(await keyspace.OptionsAsync(server));
        CqlDataSource cql = await keyspace.CqlAsync(server);
        const int day = -9; // over, for a clock that stands at the epoch
        const int hour = day * 24;
        long clicks = 0, stamp = 0;
        await CountAsync();
        await AgreesAsync(silos: 1);
        await CountAsync();
        await AgreesAsync(silos: 1);

        await CountOldAsync();
        await AgreesAsync(silos: null);
        await CountOldAsync();
        await AgreesAsync(silos: null);
        await CountOldAsync();
        await AgreesAsync(silos: 2);
        await CountAsync();
        await AgreesAsync(silos: 2);

        async Task CountAsync()
        {
            await WindowAsync();
            await store.Batches.WriteAsync(new BatchRows(0, stamp, stamp, [hour], [], []), s_go);
        }

        async Task CountOldAsync()
        {
            await WindowAsync();
            var put = new CqlStatement($"INSERT INTO {CqlIdentifier.Parse(keyspace.Name)}.hours (day, hour, chain, upto, stamp) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?");
            await cql.ExecuteAsync(put.Bind(day, hour, 0, stamp, stamp, stamp), s_go);
        }

        async Task WindowAsync()
        {
            (clicks, stamp) = (clicks + 3, stamp + 1_000);
            await store.Windows.WriteAsync(new WindowKey("ad:1", hour, 0), Row(stamp, 7, clicks));
        }

        async Task AgreesAsync(long? silos)
        {
            store.Store.MarkedBy = () => silos;
            for (int again = 0; again < 2; again++)
            {
                DayMarks? marks = await store.Counts.ReadMarksAsync(day, day + 1, s_go);
                IReadOnlyList<DayRow> days = await store.Counts.ReadCountedDaysAsync(["ad:1"], day, day + 1, marks, s_go);
                Assert.Equal(clicks, days.Sum(row => row.Quarters.Sum()));
            }
        }
    }
}
