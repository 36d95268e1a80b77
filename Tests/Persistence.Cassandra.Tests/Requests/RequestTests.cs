using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Tests.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Persistence.Cassandra.Tests.Requests;

public class RequestTests
{
    private static readonly CqlStatement s_put = new("UPDATE ks.t SET n = ? WHERE k = ?", idempotent: true);
    private static readonly CqlStatement s_once = new("UPDATE ks.t SET n = n + ? WHERE k = ?");
    private static readonly CqlStatement s_get = new("SELECT n FROM ks.t WHERE k = ?");
    private static readonly CqlStatement s_cas = new("UPDATE ks.t SET n = ? WHERE k = ? IF n = ?");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_statement_is_prepared_once_however_many_ask_at_once()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        await using CqlDataSource cql = cluster.Connect();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(n => cql.ExecuteAsync(s_put.Bind(n, n), Cancellation)));
        Assert.Single(cluster.First.Of(Opcode.Prepare));
        Assert.Equal(50, cluster.First.Of(Opcode.Execute).Count());
        var sent = cluster.First.Of(Opcode.Execute).First().Parameters;
        Assert.Equal((CqlConsistency.LocalQuorum, 0x05, 1000), (sent.Consistency, sent.Flags, sent.PageSize));
    }

    [Fact]
    public async Task Values_that_do_not_fit_are_refused_before_they_are_sent()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        await using CqlDataSource cql = cluster.Connect();
        var type = await Assert.ThrowsAsync<ArgumentException>(() => cql.ExecuteAsync(s_put.Bind(1L, 2), Cancellation));
        Assert.Equal("Value 1 (v0) is int, which System.Int64 cannot be written to: UPDATE ks.t SET n = ? WHERE k = ?", type.Message);
        var count = await Assert.ThrowsAsync<ArgumentException>(() => cql.ExecuteAsync(s_put.Bind(1), Cancellation));
        Assert.Equal("2 values are asked for and 1 are bound: UPDATE ks.t SET n = ? WHERE k = ?", count.Message);
        Assert.Empty(cluster.First.Of(Opcode.Execute));
    }

    [Fact]
    public async Task A_statement_that_a_node_has_forgotten_is_prepared_there_again()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        var known = new HashSet<string>();
        cluster.On = request => ForgetOnce(known, request);
        await using CqlDataSource cql = cluster.Connect();
        await cql.ExecuteAsync(s_once.Bind(1, 2), Cancellation);
        Assert.Equal(2, cluster.First.Of(Opcode.Prepare).Count());
        Assert.Equal(2, cluster.First.Of(Opcode.Execute).Count());
        await cql.ExecuteAsync(s_once.Bind(1, 2), Cancellation);
        Assert.Equal(2, cluster.First.Of(Opcode.Prepare).Count());
    }

    [Fact]
    public async Task Every_statement_of_a_batch_that_a_node_has_forgotten_is_prepared_there_again()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Values = text => [.. text.Where(each => each == '?').Select((_, index) => ($"v{index}", "0009"))];
        string[] forgotten = [s_put.Text, s_once.Text];
        int answered = 0;
        cluster.On = request => request.Opcode == Opcode.Batch && answered < 2 ? Unprepared(forgotten[answered++]) : null;
        await using CqlDataSource cql = cluster.Connect();
        await cql.ExecuteAsync(new CqlBatch().Add(s_put.Bind(1, 2)).Add(s_once.Bind(1, 3)).Add(s_put.Bind(1, 5)), Cancellation);
        Assert.Equal(4, cluster.First.Of(Opcode.Prepare).Count());
        Assert.Equal(3, cluster.First.Of(Opcode.Batch).Count());
    }

    [Fact]
    public async Task A_statement_that_stays_forgotten_is_an_error_and_no_loop()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode == Opcode.Execute ? Unprepared(request.Statement) : null;
        await using CqlDataSource cql = cluster.Connect();
        var fault = await Assert.ThrowsAsync<CqlServerException>(() => cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation));
        Assert.Equal(CqlErrorCode.Unprepared, fault.Code);
        Assert.Equal(2, cluster.First.Of(Opcode.Execute).Count());
    }

    [Fact]
    public async Task A_statement_whose_id_changes_fails_once_and_is_prepared_anew_by_the_next_use()
    {
        await using FakeCluster cluster = FakeCluster.Start(2);
        int prepared = 0;
        cluster.On = request => request.Opcode switch
        {
            Opcode.Prepare => cluster.Prepare(request, Interlocked.Increment(ref prepared) == 1 ? "" : "!"),
            Opcode.Execute when !request.Statement.EndsWith('!') => Unprepared(request.Statement),
            _ => null,
        };
        await using CqlDataSource cql = cluster.Connect();
        await Assert.ThrowsAsync<CqlProtocolException>(() => cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation));
        Assert.Equal(2, prepared);
        await cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation);
        Assert.Equal(3, prepared);
    }

    [Fact]
    public async Task A_statement_that_cannot_be_prepared_is_tried_again_by_the_next_use()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        bool isWrong = true;
        cluster.On = request => request.Opcode == Opcode.Prepare && isWrong ? Reply.Error(CqlErrorCode.Invalid, "unconfigured table") : null;
        await using CqlDataSource cql = cluster.Connect();
        Assert.Equal(CqlErrorCode.Invalid, (await Assert.ThrowsAsync<CqlServerException>(() => cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation))).Code);
        isWrong = false;
        await cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation);
    }

    [Fact]
    public async Task Only_so_many_statements_are_remembered()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Options.MaxPreparedStatements = 3;
        await using CqlDataSource cql = cluster.Connect();
        for (int n = 0; n < 5; n++)
        {
            await cql.ExecuteAsync(new CqlStatement(string.Concat("UPDATE ks.t SET n = ", n, " WHERE k = ?")).Bind(1), Cancellation);
        }

        Assert.Equal(5, cluster.First.Of(Opcode.Prepare).Count());
        await cql.ExecuteAsync(new CqlStatement("UPDATE ks.t SET n = 4 WHERE k = ?").Bind(1), Cancellation);
        Assert.Equal(5, cluster.First.Of(Opcode.Prepare).Count());
        await cql.ExecuteAsync(new CqlStatement("UPDATE ks.t SET n = 0 WHERE k = ?").Bind(1), Cancellation);
        Assert.Equal(6, cluster.First.Of(Opcode.Prepare).Count());
    }

    [Fact]
    public async Task Pages_are_read_until_the_server_says_that_there_are_no_more_also_over_empty_ones()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode != Opcode.Execute ? null : request.Parameters.PagingState switch
        {
            null => Page([1, 2], [1]),
            [1] => Page([], [2]),
            [2] => Page([], [3, 0]),
            [3, 0] => Page([3], []),
            [] => Page([], null),
            _ => Reply.Error(CqlErrorCode.Invalid, "wrong paging state"),
        };
        await using CqlDataSource cql = cluster.Connect();
        Assert.Equal(Enumerable.Range(1, 3), await ToListAsync(cql.QueryAsync(s_get.Bind(1), Cancellation)));
        Assert.Equal(5, cluster.First.Of(Opcode.Execute).Count());
        Assert.Equal(Enumerable.Range(1, 3), await ToListAsync(cql.QueryAsync($"SELECT n FROM ks.t WHERE k = {1}", Cancellation)));
        CqlPage page = await cql.QueryPageAsync(s_get.Bind(1), new byte[] { 3, 0 }, Cancellation);
        Assert.Equal((1, true), (page.Count, page.HasMorePages));
        Assert.Equal(1, (await cql.QueryFirstAsync(s_get.Bind(1), Cancellation))!.Value.Get<int>("n"));
        Assert.Throws<ArgumentException>(() => cql.QueryAsync(s_put.Bind(1, 2), Cancellation));
    }

    [Fact]
    public async Task A_conditional_write_is_applied_rejected_with_the_row_or_unknown()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        Reply answer = Reply.Void;
        cluster.On = request => request.Opcode == Opcode.Execute ? answer : null;
        await using CqlDataSource cql = cluster.Connect();

        // Cassandra: the row comes with a rejection only; Scylla: always.
        answer = Reply.Rows([("[applied]", "0004")], [[[1]]]);
        Assert.True((await CasAsync()).IsApplied);
        Assert.Equal((CqlConsistency.LocalQuorum, (int?)CqlConsistency.LocalSerial), (Last().Consistency, Last().Serial));
        answer = Reply.Rows([("[applied]", "0004"), ("n", "0009")], [[[1], FakeCluster.Int(6)]]);
        Assert.True((await CasAsync()).IsApplied);
        answer = Reply.Rows([("[applied]", "0004"), ("n", "0009")], [[[0], FakeCluster.Int(6)]]);
        CasResult rejected = await CasAsync();
        Assert.Equal((CasOutcome.Rejected, 6), (rejected.Outcome, rejected.CurrentRow.Get<int>("n")));
        answer = Reply.Rows([("[applied]", "0004")], [[[0]]]);
        rejected = await CasAsync();
        Assert.Equal((CasOutcome.Rejected, false), (rejected.Outcome, rejected.CurrentRow.Has("n")));
        answer = Reply.Rows([("[applied]", "0004"), ("n", "0009")], [[[0], null]]);
        Assert.Null((await CasAsync()).CurrentRow.Get<int?>("n"));

        foreach (CqlErrorCode code in new[] { CqlErrorCode.WriteTimeout, CqlErrorCode.ReadTimeout, CqlErrorCode.Unavailable, CqlErrorCode.Overloaded,
            CqlErrorCode.ServerError, CqlErrorCode.WriteFailure, CqlErrorCode.CasWriteUnknown, (CqlErrorCode)0x1800 })
        {
            answer = Reply.Error(code, "who knows", buffer => buffer.WriteRaw(Hex.Bytes("0008 00000001 00000002 00000001 0003 434153 00")));
            if (code == CqlErrorCode.WriteTimeout)
            {
                answer = Reply.Error(code, "who knows", buffer => buffer.WriteRaw(Hex.Bytes("0008 00000001 00000002 0003 434153")));
            }

            CasResult unknown = await CasAsync();
            Assert.Equal((CasOutcome.Unknown, code), (unknown.Outcome, ((CqlServerException)unknown.Fault!).Code));
            Assert.Throws<InvalidOperationException>(() => unknown.CurrentRow);
        }

        answer = Reply.Drop;
        Assert.IsType<CqlConnectionException>((await CasAsync()).Fault);
        await Wait.ForAsync("it is connected again", () => cql.ConnectedHosts.Count == 1);
        answer = Reply.Error(CqlErrorCode.Invalid);
        await Assert.ThrowsAsync<CqlServerException>(CasAsync);
        answer = Reply.Void;
        await Assert.ThrowsAsync<InvalidOperationException>(CasAsync);

        Task<CasResult> CasAsync() => cql.CompareAndSetAsync(s_cas.Bind(1, 2, 3), Cancellation);

        (CqlConsistency Consistency, int Flags, List<byte[]?> Values, int PageSize, byte[]? PagingState, int? Serial) Last() =>
            cluster.First.Of(Opcode.Execute).Last().Parameters;
    }

    [Fact]
    public async Task A_conditional_write_that_is_executed_as_a_plain_one_is_an_error()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.On = request => request.Opcode == Opcode.Execute ? Reply.Rows([("[applied]", "0004")], [[[1]]]) : null;
        await using CqlDataSource cql = cluster.Connect();
        await Assert.ThrowsAsync<InvalidOperationException>(() => cql.ExecuteAsync(s_cas.Bind(1, 2, 3), Cancellation));
    }

    [Fact]
    public async Task A_conditional_batch_has_one_answer_and_the_rows_of_its_conditions()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        Reply answer = Reply.Rows([("[applied]", "0004"), ("n", "0009")], [[[0], FakeCluster.Int(1)], [[0], FakeCluster.Int(2)]]);
        cluster.On = request => request.Opcode == Opcode.Batch ? answer : null;
        await using CqlDataSource cql = cluster.Connect();
        CqlBatch batch = new CqlBatch().Add(s_cas.Bind(1, 2, 3)).Add(s_cas.Bind(1, 5, 6));
        CasResult result = await cql.CompareAndSetAsync(batch, Cancellation);
        Assert.Equal([1, 2], result.CurrentRows.Select(row => row.Get<int>("n")));
        Assert.False(result.IsApplied);
        answer = Reply.Rows([("[applied]", "0004"), ("n", "0009")], [[[1], FakeCluster.Int(1)], [[1], FakeCluster.Int(2)]]);
        Assert.True((await cql.CompareAndSetAsync(batch, Cancellation)).IsApplied);
    }

    [Fact]
    public async Task A_batch_is_of_one_partition()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        await using CqlDataSource cql = cluster.Connect();
        await Assert.ThrowsAsync<ArgumentException>(() => cql.ExecuteAsync(new CqlBatch().Add(s_put.Bind(1, 1)).Add(s_put.Bind(2, 1)), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => cql.ExecuteAsync(new CqlBatch(), Cancellation));
        await cql.ExecuteAsync(new CqlBatch().Add(s_put.Bind(1, 1)).Add(s_put.Bind(1, 2)), Cancellation);
        Assert.Single(cluster.First.Of(Opcode.Batch));
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task What_may_be_repeated_is_tried_at_another_node_and_nothing_else(bool isIdempotent, int asked)
    {
        await using FakeCluster cluster = FakeCluster.Start(3);
        cluster.On = request => request.Opcode == Opcode.Execute
            ? Reply.Error(CqlErrorCode.WriteTimeout, "late", buffer => buffer.WriteRaw(Hex.Bytes("0006 00000001 00000002 0006 53494d504c45"))) : null;
        await using CqlDataSource cql = cluster.Connect();
        var fault = await Assert.ThrowsAsync<CqlServerException>(() => cql.ExecuteAsync((isIdempotent ? s_put : s_once).Bind(1, 2), Cancellation));
        Assert.Equal("SIMPLE", fault.WriteType);
        Assert.Equal(asked, cluster.Nodes.Sum(node => node.Of(Opcode.Execute).Count()));
    }

    [Fact]
    public async Task What_breaks_goes_on_at_another_node_if_it_may()
    {
        await using FakeCluster cluster = FakeCluster.Start(3);
        int drops = 0;
        cluster.On = request => request.Opcode == Opcode.Execute && Interlocked.Increment(ref drops) <= 2 ? Reply.Drop : null;
        await using CqlDataSource cql = cluster.Connect();
        await cql.OpenAsync(Cancellation);
        await Wait.ForAsync("all nodes are connected", () => cql.ConnectedHosts.Count == 3);
        await cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation);
        Assert.Equal(3, drops);
        await Wait.ForAsync("all nodes are connected again", () => cql.ConnectedHosts.Count == 3);
        drops = 0;
        var fault = await Assert.ThrowsAsync<CqlConnectionException>(() => cql.ExecuteAsync(s_once.Bind(1, 2), Cancellation));
        Assert.False(fault.NotSent);
        Assert.Equal(1, drops);
    }

    [Fact]
    public async Task At_the_bound_callers_wait_until_their_deadline()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        cluster.Options.MaxRequestsInFlight = 1;
        var time = new FakeTimeProvider();
        TaskCompletionSource answers = new();
        cluster.On = request => request.Opcode == Opcode.Execute ? Reply.Void with { After = answers.Task } : null;
        await using CqlDataSource cql = cluster.Connect(time: time);
        Task first = cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        await Wait.ForAsync("the first is in flight", () => cluster.First.Of(Opcode.Execute).Any());
        time.Advance(TimeSpan.FromSeconds(1));
        Task second = cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation);
        answers.SetResult();
        await first;
        await second;

        answers = new TaskCompletionSource();
        first = cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        await Wait.ForAsync("it is in flight", () => cluster.First.Of(Opcode.Execute).Count() == 3);
        second = cql.ExecuteAsync(s_put.Bind(1, 2), Cancellation);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.False((await Assert.ThrowsAsync<CqlTimeoutException>(() => first)).NotSent);
        Assert.True((await Assert.ThrowsAsync<CqlTimeoutException>(() => second)).NotSent);
        answers.SetResult();
    }

    [Fact]
    public async Task A_schema_is_changed_when_the_nodes_agree_on_it()
    {
        await using FakeCluster cluster = FakeCluster.Start(2);
        await using CqlDataSource cql = cluster.Connect();
        await cql.OpenAsync(Cancellation);
        await Wait.ForAsync("all nodes are connected", () => cql.ConnectedHosts.Count == 2);
        cluster.Nodes[1].SchemaVersion = Guid.NewGuid();
        Task changing = cql.ExecuteSchemaAsync(new CqlStatement("CREATE TABLE ks.u (k int PRIMARY KEY)"), Cancellation);
        await Wait.ForAsync("it looks more than once", () => cluster.Nodes.Sum(node => node.Of(Opcode.Query).Count(each => each.Text.Contains("system.local", StringComparison.Ordinal))) >= 4);
        Assert.False(changing.IsCompleted);
        cluster.Nodes[1].SchemaVersion = cluster.First.SchemaVersion;
        await changing;
        Assert.Single(cluster.Nodes.SelectMany(node => node.Of(Opcode.Query)), each => each.Text.StartsWith("CREATE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Consistency_and_timestamp_are_those_of_the_call_then_of_the_statement()
    {
        await using FakeCluster cluster = FakeCluster.Start();
        await using CqlDataSource cql = cluster.Connect();
        var statement = new CqlStatement(s_put.Text) { Consistency = CqlConsistency.All, PageSize = 7 };
        await cql.ExecuteAsync(statement.Bind(1, CqlUnset.Value), Cancellation);
        await cql.ExecuteAsync(statement.Bind(1, 2).WithConsistency(CqlConsistency.Two).WithTimestamp(5), Cancellation);
        var sent = cluster.First.Of(Opcode.Execute).Select(request => request.Parameters).ToList();
        Assert.Equal((CqlConsistency.All, 0x05, 7), (sent[0].Consistency, sent[0].Flags, sent[0].PageSize));
        Assert.Null(sent[0].Values[1]);
        Assert.Equal((CqlConsistency.Two, 0x25), (sent[1].Consistency, sent[1].Flags));
        Assert.Throws<ArgumentOutOfRangeException>(() => statement.Bind(1, 2).WithTimestamp(-1));
    }

    private static Reply Unprepared(string id) =>
        Reply.Error(CqlErrorCode.Unprepared, "who is that", buffer => buffer.WriteShortBytes(FakeCluster.Utf8(id)));

    private static Reply? ForgetOnce(HashSet<string> known, FakeRequest request)
    {
        lock (known)
        {
            return request.Opcode == Opcode.Execute && known.Add(request.Statement) ? Unprepared(request.Statement) : null;
        }
    }

    private static Reply Page(int[] rows, byte[]? state) => Reply.Rows([("n", "0009")], [.. rows.Select(n => (byte[]?[])[FakeCluster.Int(n)])], state);

    private static async Task<List<int>> ToListAsync(IAsyncEnumerable<CqlRow> rows)
    {
        var list = new List<int>();
        await foreach (CqlRow row in rows)
        {
            list.Add(row.Get<int>("n"));
        }

        return list;
    }
}
