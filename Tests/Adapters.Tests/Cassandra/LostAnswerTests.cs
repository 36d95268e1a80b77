using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Adapters.Tests.Contracts;
using ClickAggregator.Grains;
using ClickAggregator.Grains.Chain;
using ClickAggregator.Grains.Storage;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Adapters.Tests.Cassandra;

/// <summary>A write whose answer is lost is a failure, never a success; and what follows puts it right, whatever became of it.</summary>
public class LostAnswerTests(CassandraServer server, CassandraKeyspace keyspace) : IClassFixture<CassandraKeyspace>
{
    private const int Hour = 500_000;
    private static readonly CancellationToken s_go = CancellationToken.None;

    [Fact]
    public async Task A_write_whose_answer_is_lost_fails_and_its_repeat_counts_once()
    {
        await using StoreInCassandra direct = await keyspace.OpenAsync(server);
        await using var line = new TcpProxy(server.Port, keyspace.Host);
        await using StoreInCassandra store = await StoreInCassandra.OpenAsync(await keyspace.OptionsAsync(server, port: line.Port));
        var key = new WindowKey("ad:7", Hour, 0);
        var ledger = new WindowLedger(new KeptWindow(store.Windows, key));
        long stamp = 0, end = 0, clicks = 0;
        long? previous = null;
        for (int round = 0; round < 4; round++)
        {
            (stamp, end, clicks) = (stamp + 1000, end + 10, clicks + 3);
            var delta = new WindowDelta(end, stamp, 0, previous, new[] { new MinuteCount(7, 3) });
            if (round % 2 == 1)
            {
                line.LosesAnswers = true;
                await Assert.ThrowsAnyAsync<CqlException>(() => ledger.ApplyAsync(delta));
                await Assert.ThrowsAnyAsync<CqlException>(() => store.Batches.WriteAsync(new BatchRows(0, end, stamp, [Hour], [], []), s_go));
                await Assert.ThrowsAnyAsync<CqlException>(() => store.Counts.ReadHoursAsync(["ad:7"], Hour, Hour + 1, true, s_go));
                line.LosesAnswers = false;
            }

            WindowAck ack = await RepeatAsync(attempt => ledger.ApplyAsync(delta with { Attempt = attempt }));
            Assert.True(ack.Outcome is WindowOutcome.Applied or WindowOutcome.Repeated);
            Assert.Equal((clicks, clicks), (ack.HourClicks, ack.DayClicks));
            previous = ack.Stamp;
        }

        WindowRow row = await direct.Store.Windows.ReadAsync(key, s_go);
        Assert.Equal((clicks, clicks, clicks, end, false), (row.Clicks, row.Minutes!.Sum(), row.DayClicks, row.Upto, row.SetAside));
    }

    [Fact]
    public async Task A_table_whose_reads_may_go_back_is_refused_with_the_remedy()
    {
        await (await keyspace.OpenAsync(server)).DisposeAsync();
        CqlDataSource cql = await keyspace.CqlAsync(server);
        CqlIdentifier name = CqlIdentifier.Parse(keyspace.Name);
        await cql.ExecuteSchemaAsync(new CqlStatement($"ALTER TABLE {name}.clicks_by_day WITH read_repair = 'NONE'"));

        CassandraStoreOptions options = await keyspace.OptionsAsync(server);
        SchemaUnusableException refused = await Assert.ThrowsAsync<SchemaUnusableException>(
            () => CassandraStore.OpenAsync(options, NullLoggerFactory.Instance, cancellationToken: s_go));
        Assert.EndsWith($"Run ALTER TABLE {keyspace.Name}.clicks_by_day WITH read_repair = 'BLOCKING'", refused.Message, StringComparison.Ordinal);

        await cql.ExecuteSchemaAsync(new CqlStatement($"ALTER TABLE {name}.clicks_by_day WITH read_repair = 'BLOCKING'"));
        await (await CassandraStore.OpenAsync(options, NullLoggerFactory.Instance, cancellationToken: s_go)).DisposeAsync();
    }

    private static async Task<WindowAck> RepeatAsync(Func<int, Task<WindowAck>> call)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await call(attempt);
            }
            catch (CqlException fault) when (fault.IsTransient && attempt < 100)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken); // until the client has connected again
            }
        }
    }
}
