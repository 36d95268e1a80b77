using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Persistence.Cassandra.Tests.Real;

/// <summary>
/// Clusters of its own, which take a minute each and cannot run beside the node of the other tests; run it by name with
/// <c>dotnet run --project Tests/Persistence.Cassandra.Tests -- -explicit only -class '*.ClusterCheck'</c>.
/// </summary>
public class ClusterCheck
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task Writes_go_on_while_one_of_three_nodes_is_stopped_or_killed_and_none_is_lost()
    {
        await using ServerScript? script = ServerScript.New();
        Assert.SkipWhen(script is null, "needs nodes that it may stop: the servers script");
        await script.StartCassandraAsync(nodes: 3);
        var options = new CqlOptions { Port = script.CassandraPort, ContactPoints = { "127.0.0.1" }, RequestTimeout = TimeSpan.FromSeconds(30) };
        await using CqlDataSource cql = CqlDataSource.Create(options);
        await cql.ExecuteSchemaAsync(new CqlStatement(
            "CREATE KEYSPACE check3 WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"), Cancellation);
        await cql.ExecuteSchemaAsync(new CqlStatement("CREATE TABLE check3.t (k int PRIMARY KEY, n bigint)"), Cancellation);
        await cql.ExecuteSchemaAsync(new CqlStatement("CREATE TABLE check3.c (k int PRIMARY KEY, n bigint, nonce uuid)"), Cancellation);
        await Wait.ForAsync("all nodes are connected", () => cql.ConnectedHosts.Count == 3);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        int written = 0;
        Task[] writers = [.. Enumerable.Range(0, 16).Select(_ => WriteAsync())];
        Task<long> counter = CountAsync();
        await GoOnAsync();

        await script.SignalAsync("STOP", "cassandra", 2);
        await GoOnAsync();
        await Wait.ForAsync("the stopped node is noticed", () => cql.ConnectedHosts.Count == 2);
        await GoOnAsync();
        await script.SignalAsync("CONT", "cassandra", 2);
        await Wait.ForAsync("it is back", () => cql.ConnectedHosts.Count == 3, seconds: 60);

        // The first one has the control connection.
        await script.SignalAsync("KILL", "cassandra", 1);
        await Wait.ForAsync("the killed node is noticed", () => cql.ConnectedHosts.Count == 2);
        await GoOnAsync();
        await script.StartCassandraAsync(nodes: 3);
        await Wait.ForAsync("it is back", () => cql.ConnectedHosts.Count == 3, seconds: 60);
        await GoOnAsync();
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        int rows = 0;
        await foreach (CqlRow row in cql.QueryAsync($"SELECT k, n FROM check3.t", Cancellation))
        {
            Assert.Equal(row.Get<int>("k"), row.Get<long>("n"));
            rows++;
        }

        Assert.Equal(written, rows);
        CqlRow end = (await cql.QueryFirstAsync(Read().Bind(), Cancellation))!.Value;
        Assert.Equal(await counter, end.Get<long>("n"));
        TestContext.Current.TestOutputHelper!.WriteLine($"{written} writes, {await counter} conditional ones");

        static CqlStatement Read() => new("SELECT n, nonce FROM check3.c WHERE k = 1") { Consistency = CqlConsistency.Serial };

        async Task GoOnAsync()
        {
            int seen = Volatile.Read(ref written);
            await Wait.ForAsync("writes go on", () => Volatile.Read(ref written) > seen + 500, seconds: 60);
        }

        async Task WriteAsync()
        {
            var put = new CqlStatement("INSERT INTO check3.t (k, n) VALUES (?, ?)", idempotent: true);
            while (!stop.IsCancellationRequested)
            {
                int key = Interlocked.Increment(ref written);
                await cql.ExecuteAsync(put.Bind(key, (long)key), Cancellation);
            }
        }

        // Counts by compare-and-set; an unknown outcome is resolved by the nonce, as the README says.
        async Task<long> CountAsync()
        {
            var update = new CqlStatement("UPDATE check3.c SET n = ?, nonce = ? WHERE k = 1 IF n = ?");
            // Conditional like all other writes of its cells.
            var insert = new CqlStatement("INSERT INTO check3.c (k, n) VALUES (1, 0) IF NOT EXISTS");
            Assert.True((await cql.CompareAndSetAsync(insert.Bind(), Cancellation)).IsApplied);
            long applied = 0;
            while (!stop.IsCancellationRequested)
            {
                Guid nonce = Guid.NewGuid();
                CasResult result = await cql.CompareAndSetAsync(update.Bind(applied + 1, nonce, applied), Cancellation);
                bool isApplied = result.IsApplied;
                while (result.Outcome == CasOutcome.Unknown)
                {
                    try
                    {
                        isApplied = (await cql.QueryFirstAsync(Read().Bind(), Cancellation))!.Value.Get<Guid?>("nonce") == nonce;
                        break;
                    }
                    catch (CqlException fault) when (fault.IsTransient)
                    {
                        await Task.Delay(100, Cancellation);
                    }
                }

                Assert.NotEqual(CasOutcome.Rejected, result.Outcome);
                applied += isApplied ? 1 : 0;
            }

            return applied;
        }
    }

    [Fact(Explicit = true)]
    public async Task A_node_with_passwords_lets_in_who_has_one()
    {
        await using ServerScript? script = ServerScript.New();
        Assert.SkipWhen(script is null, "needs a node with passwords: the servers script");
        await script.StartCassandraAsync(authenticate: true);
        var options = new CqlOptions { Port = script.CassandraPort, ContactPoints = { "127.0.0.1" } };
        await RefusedAsync("PasswordAuthenticator");
        options.User = "cassandra";
        options.Password = "wrong";
        await RefusedAsync("cassandra");
        options.Password = "cassandra";
        await using CqlDataSource cql = CqlDataSource.Create(options);
        await Wait.ForAsync("the first user is made", () => TryAsync(cql).GetAwaiter().GetResult());

        async Task RefusedAsync(string because)
        {
            await using CqlDataSource refused = CqlDataSource.Create(options);
            var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => refused.OpenAsync(Cancellation));
            Assert.False(fault.IsTransient);
            Assert.Contains(because, Assert.IsType<CqlAuthenticationException>(fault.InnerException).Message, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong", fault.ToString(), StringComparison.Ordinal);
        }

        static async Task<bool> TryAsync(CqlDataSource cql)
        {
            try
            {
                await cql.OpenAsync(Cancellation);
                return true;
            }
            catch (CqlNoHostException)
            {
                return false;
            }
        }
    }
}
