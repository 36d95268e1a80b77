using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Persistence.Cassandra.Tests.Real;

public class StatementTests(CassandraServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_conditional_write_is_applied_or_rejected_with_the_row()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        CqlDataSource cql = keyspace.Cql;
        var insert = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, c, n) VALUES (?, ?, ?) IF NOT EXISTS");
        var update = new CqlStatement($"UPDATE {keyspace.Name}.t SET n = ? WHERE k = ? AND c = ? IF n = ?");
        Assert.True((await cql.CompareAndSetAsync(insert.Bind("a", 1, 10L), Cancellation)).IsApplied);
        CasResult rejected = await cql.CompareAndSetAsync(insert.Bind("a", 1, 20L), Cancellation);
        Assert.Equal((CasOutcome.Rejected, 10L), (rejected.Outcome, rejected.CurrentRow.Get<long>("n")));
        Assert.True((await cql.CompareAndSetAsync(update.Bind(11L, "a", 1, 10L), Cancellation)).IsApplied);
        rejected = await cql.CompareAndSetAsync(update.Bind(12L, "a", 1, 10L), Cancellation);
        Assert.Equal((CasOutcome.Rejected, 11L), (rejected.Outcome, rejected.CurrentRow.Get<long>("n")));
        rejected = await cql.CompareAndSetAsync(update.Bind(12L, "nobody", 1, 10L), Cancellation);
        Assert.Equal((CasOutcome.Rejected, false), (rejected.Outcome, rejected.CurrentRow.Has("n")));

        CqlBatch batch = new CqlBatch()
            .Add(update.Bind(100L, "a", 1, 11L))
            .Add(insert.Bind("a", 2, 200L));
        Assert.True((await cql.CompareAndSetAsync(batch, Cancellation)).IsApplied);
        rejected = await cql.CompareAndSetAsync(batch, Cancellation);
        Assert.Equal(CasOutcome.Rejected, rejected.Outcome);
        Assert.Equal([100L, 200L], rejected.CurrentRows.Select(row => row.Get<long>("n")).Order());

        var read = new CqlStatement($"SELECT c, n FROM {keyspace.Name}.t WHERE k = ?") { Consistency = CqlConsistency.Serial };
        Assert.Equal(100L, (await cql.QueryFirstAsync(read.Bind("a"), Cancellation))!.Value.Get<long>("n"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => cql.ExecuteAsync(insert.Bind("b", 1, 1L), Cancellation));
    }

    [Fact]
    public async Task Many_writers_that_compare_and_set_count_to_the_right_number()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        CqlDataSource cql = keyspace.Cql;
        var update = new CqlStatement($"UPDATE {keyspace.Name}.t SET n = ? WHERE k = 'a' AND c = 1 IF n = ?");
        var read = new CqlStatement($"SELECT n FROM {keyspace.Name}.t WHERE k = 'a' AND c = 1") { Consistency = CqlConsistency.LocalSerial };
        await cql.ExecuteAsync($"INSERT INTO {keyspace.Name}.t (k, c, n) VALUES ({"a"}, {1}, {0L})", Cancellation);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            for (int applied = 0; applied < 10;)
            {
                long n = (await cql.QueryFirstAsync(read.Bind(), Cancellation))!.Value.Get<long>("n");
                CasResult result = await cql.CompareAndSetAsync(update.Bind<long, long>(n + 1, n), Cancellation);
                Assert.NotEqual(CasOutcome.Unknown, result.Outcome);
                applied += result.IsApplied ? 1 : 0;
            }
        }));
        Assert.Equal(40, (await cql.QueryFirstAsync(read.Bind(), Cancellation))!.Value.Get<long>("n"));
    }

    [Fact]
    public async Task The_highest_timestamp_wins_whatever_the_order()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        CqlDataSource cql = keyspace.Cql;
        var put = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, c, n) VALUES (?, ?, ?) USING TIMESTAMP ?", idempotent: true);
        await cql.ExecuteAsync(put.Bind("a", 1, 2L, 2000L), Cancellation);
        await cql.ExecuteAsync(put.Bind("a", 1, 1L, 1000L), Cancellation);
        CqlRow row = (await cql.QueryFirstAsync($"SELECT n, WRITETIME(n) FROM {keyspace.Name}.t WHERE k = {"a"} AND c = {1}", Cancellation))!.Value;
        Assert.Equal((2L, 2000L), (row.Get<long>(0), row.Get<long>(1)));
        var plain = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, c, n) VALUES (?, ?, ?)");
        await cql.ExecuteAsync(plain.Bind("a", 1, 3L).WithTimestamp(3000), Cancellation);
        await cql.ExecuteAsync(new CqlBatch { Timestamp = 2500 }.Add(plain.Bind("a", 1, 9L)).Add(plain.Bind("a", 2, 9L)), Cancellation);
        row = (await cql.QueryFirstAsync($"SELECT n, WRITETIME(n) FROM {keyspace.Name}.t WHERE k = {"a"} AND c = {1}", Cancellation))!.Value;
        Assert.Equal((3L, 3000L), (row.Get<long>(0), row.Get<long>(1)));
    }

    [Fact]
    public async Task A_batch_of_one_partition_is_one_mutation_which_the_limits_of_batches_do_not_concern()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        CqlDataSource cql = keyspace.Cql;
        var put = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, c, b) VALUES (?, ?, ?)", idempotent: true);
        var batch = new CqlBatch();
        for (int n = 0; n < 100; n++)
        {
            batch.Add(put.Bind("a", n, new byte[1000]));
        }

        Assert.InRange(batch.ValueBytes, 100_000, 110_000);
        await cql.ExecuteAsync(batch, Cancellation);
        int rows = 0;
        await foreach (CqlRow row in cql.QueryAsync($"SELECT c, WRITETIME(b) FROM {keyspace.Name}.t WHERE k = {"a"}", Cancellation))
        {
            Assert.Equal(rows++, row.Get<int>(0));
        }

        Assert.Equal(100, rows);
    }

    [Fact]
    public async Task What_the_server_warns_of_is_logged()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        using var loggers = new RecordedLogs();
        await using CqlDataSource cql = CqlDataSource.Create(keyspace.Options, loggers);
        CqlRow row = (await cql.QueryFirstAsync($"SELECT count(*) FROM {keyspace.Name}.t", Cancellation))!.Value;
        Assert.Equal(0L, row.Get<long>(0));
        Assert.Contains(loggers.Lines, line => line.EndsWith("warns: Aggregation query used without partition key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Errors_of_the_server_are_told_apart()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        CqlDataSource cql = keyspace.Cql;
        Assert.Equal(CqlErrorCode.SyntaxError, (await FaultAsync(new CqlStatement("SELEKT"))).Code);
        Assert.Equal(CqlErrorCode.Invalid, (await FaultAsync(new CqlStatement($"SELECT x FROM {keyspace.Name}.t"))).Code);
        var exists = await Assert.ThrowsAsync<CqlServerException>(() => keyspace.SchemaAsync($"CREATE TABLE {keyspace.Name}.t (k int PRIMARY KEY)"));
        Assert.Equal((CqlErrorCode.AlreadyExists, keyspace.Name.Name, "t"), (exists.Code, exists.Keyspace, exists.Name));
        var unavailable = await Assert.ThrowsAsync<CqlServerException>(() => cql.ExecuteAsync(
            new CqlStatement($"SELECT n FROM {keyspace.Name}.t WHERE k = ?") { Consistency = CqlConsistency.Three }.Bind("a"), Cancellation));
        Assert.True(unavailable.Code is CqlErrorCode.Unavailable or CqlErrorCode.Invalid, unavailable.ToString());

        async Task<CqlServerException> FaultAsync(CqlStatement statement) =>
            await Assert.ThrowsAsync<CqlServerException>(() => cql.ExecuteAsync(statement.Bind(), Cancellation));
    }

    [Fact]
    public async Task A_table_that_changes_keeps_its_prepared_statements_right()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        CqlDataSource cql = keyspace.Cql;
        var read = new CqlStatement($"SELECT c, n FROM {keyspace.Name}.t WHERE k = ?");
        await cql.ExecuteAsync($"INSERT INTO {keyspace.Name}.t (k, c, n) VALUES ({"a"}, {1}, {7L})", Cancellation);
        Assert.Equal(7L, (await cql.QueryFirstAsync(read.Bind("a"), Cancellation))!.Value.Get<long>("n"));
        await keyspace.SchemaAsync($"ALTER TABLE {keyspace.Name}.t ADD a text");
        await keyspace.SchemaAsync($"ALTER TABLE {keyspace.Name}.t DROP b");
        Assert.Equal(7L, (await cql.QueryFirstAsync(read.Bind("a"), Cancellation))!.Value.Get<long>("n"));
        await cql.ExecuteAsync($"INSERT INTO {keyspace.Name}.t (k, c, a) VALUES ({"a"}, {1}, {"new"})", Cancellation);
        Assert.Equal("new", (await cql.QueryFirstAsync($"SELECT a FROM {keyspace.Name}.t WHERE k = {"a"}", Cancellation))!.Value.Get<string>("a"));

        // Dropped and made again with another type: nothing of the old one is believed.
        await keyspace.SchemaAsync($"DROP TABLE {keyspace.Name}.t");
        await keyspace.SchemaAsync($"CREATE TABLE {keyspace.Name}.t (k text, c int, n text, PRIMARY KEY (k, c))");
        await cql.ExecuteAsync(new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, c, n) VALUES ('a', 1, 'text')").Bind(), Cancellation);
        Assert.Equal("text", (await cql.QueryFirstAsync(read.Bind("a"), Cancellation))!.Value.Get<string>("n"));
    }

    [Fact]
    public async Task The_schema_can_be_read()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        var columns = new List<string>();
        await foreach (CqlRow row in keyspace.Cql.QueryAsync(
            $"SELECT column_name, kind, type FROM system_schema.columns WHERE keyspace_name = {keyspace.Name.Name} AND table_name = {"t"}", Cancellation))
        {
            columns.Add($"{row.Get<string>("column_name")} {row.Get<string>("kind")} {row.Get<string>("type")}");
        }

        Assert.Equal(["b regular blob", "c clustering int", "k partition_key text", "n regular bigint"], columns.Order());
    }

    [Fact]
    public async Task Large_rows_and_many_at_once_come_whole()
    {
        await using TestKeyspace keyspace = await CreateAsync();
        CqlDataSource cql = keyspace.Cql;
        var put = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, c, n, b) VALUES (?, ?, ?, ?)", idempotent: true);
        byte[] large = new byte[1 << 20];
        new Random(3).NextBytes(large);
        await cql.ExecuteAsync(put.Bind("large", 1, 1L, large), Cancellation);
        CqlRow row = (await cql.QueryFirstAsync($"SELECT b FROM {keyspace.Name}.t WHERE k = {"large"}", Cancellation))!.Value;
        Assert.True(large.AsSpan().SequenceEqual(row.Get<byte[]>("b")));
        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), new ParallelOptions { MaxDegreeOfParallelism = 200 }, async (n, _) =>
        {
            await cql.ExecuteAsync(put.Bind($"k{n}", n, (long)n, Array.Empty<byte>()), Cancellation);
            CqlRow read = (await cql.QueryFirstAsync($"SELECT c, n FROM {keyspace.Name}.t WHERE k = {$"k{n}"}", Cancellation))!.Value;
            Assert.Equal((n, (long)n), (read.Get<int>("c"), read.Get<long>("n")));
        });
    }

    private async Task<TestKeyspace> CreateAsync()
    {
        TestKeyspace keyspace = await TestKeyspace.CreateAsync(server);
        await keyspace.SchemaAsync($"CREATE TABLE {keyspace.Name}.t (k text, c int, n bigint, b blob, PRIMARY KEY (k, c))");
        return keyspace;
    }
}
