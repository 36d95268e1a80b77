using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Persistence.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>Tables that a build before made, and builds of two versions beside each other.</summary>
public class UpgradeTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Hour = 500_000;
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task Hours_that_a_build_of_version_1_counted_are_open_before_and_after_the_upgrade()
    {
        CassandraStoreOptions options = await keyspace.OptionsAsync(server);
        CqlDataSource cql = await keyspace.CqlAsync(server);
        var before = new SchemaPart("clicks", [.. CassandraSchema.Clicks.Versions.Take(1)]);
        await using var sessions = new CassandraSessions(NullLoggerFactory.Instance, TimeProvider.System);
        CassandraSession old = sessions.Get(options.Configured());
        await old.EnsureAsync(before, s_go);
        await CountAsOldAsync(cql, Hour, upto: 10);
        await CountAsOldAsync(cql, Hour + 1_000, upto: 10);

        await using StoreInCassandra store = await StoreInCassandra.OpenAsync(options);
        Assert.Equal([new(Hour, 3, 0), new(Hour + 1_000, 3, 0)], await OpenHoursAsync(store));
        await store.Ledger.WriteFinalAsync(new HourFinal(Hour, 3, 10, 1, 0, [1], 1), s_go);
        await store.Ledger.WriteFinalAsync(new HourFinal(Hour + 1_000, 3, 10, 1, 0, [2], 1), s_go);

        // It went on beside version 2, until the last silo was replaced; each that starts looks what came.
        await CountAsOldAsync(cql, Hour + 1_000, upto: 20);
        await store.ReopenAsync();
        Assert.Equal([new(Hour + 1_000, 3, 20)], await OpenHoursAsync(store));
        await store.ReopenAsync();
        Assert.Equal([new(Hour + 1_000, 3, 20)], await OpenHoursAsync(store));
    }

    private static Task<IReadOnlyList<HourMark>> OpenHoursAsync(StoreInCassandra store) =>
        store.Ledger.ReadOpenHoursAsync(int.MinValue, int.MaxValue, 100, s_go);

    private async Task CountAsOldAsync(CqlDataSource cql, int hour, long upto)
    {
        CqlIdentifier name = CqlIdentifier.Parse(keyspace.Name);
        var fact = new CqlStatement($"INSERT INTO {name}.facts (name, value) VALUES (?, ?) USING TIMESTAMP ?");
        await cql.ExecuteAsync(fact.Bind("oldest_hour", (long)Hour, (1L << 40) - Hour), s_go);
        await cql.ExecuteAsync(fact.Bind("newest_hour", (long)hour, (1L << 40) + hour), s_go);
        var put = new CqlStatement($"INSERT INTO {name}.hours (day, hour, chain, upto, stamp) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?");
        await cql.ExecuteAsync(put.Bind(Calendar.DayOf(hour), hour, 3, upto, upto * 1000, upto * 1000), s_go);
    }
}
