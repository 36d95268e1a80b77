using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;

namespace ClickAggregator.Persistence.Cassandra.Tests.Real;

/// <summary>A real node that falls silent and goes on, and the encrypted way to it.</summary>
public class OutageTests(CassandraServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tls_trusts_the_authority_of_the_file_and_checks_the_name()
    {
        CqlOptions options = await TestKeyspace.OptionsAsync(server);
        Assert.SkipWhen(server.CaFile.Length == 0, "needs a node with TLS: set CASSANDRA_CA_FILE");
        options.Tls.Enabled = true;
        options.Tls.CaFile = server.CaFile;
        await using (CqlDataSource cql = CqlDataSource.Create(options))
        {
            await cql.OpenAsync(Cancellation);
        }

        options.Tls.CaFile = "";
        await using (CqlDataSource untrusting = CqlDataSource.Create(options))
        {
            var untrusted = await Assert.ThrowsAsync<CqlNoHostException>(() => untrusting.OpenAsync(Cancellation));
            Assert.Contains("which this machine does not trust", untrusted.Message, StringComparison.Ordinal);
            Assert.False(untrusted.IsTransient);
        }

        // The certificate names localhost and 127.0.0.1 to .3.
        options.Tls.CaFile = server.CaFile;
        options.ContactPoints.Clear();
        options.ContactPoints.Add("cassandra.test");
        await using (CqlDataSource named = CqlDataSource.Create(options, (_, _) => Task.FromResult(new[] { System.Net.IPAddress.Loopback })))
        {
            var misnamed = await Assert.ThrowsAsync<CqlNoHostException>(() => named.OpenAsync(Cancellation));
            Assert.Matches("its certificate is for .*localhost.*, not for cassandra.test$", misnamed.Message);
        }

        options.Tls.CheckHostName = false;
        await using CqlDataSource unnamed = CqlDataSource.Create(options, (_, _) => Task.FromResult(new[] { System.Net.IPAddress.Loopback }));
        await unnamed.OpenAsync(Cancellation);
    }

    [Fact]
    public async Task A_node_that_falls_silent_is_noticed_and_used_again_when_it_goes_on()
    {
        await using TestKeyspace keyspace = await TestKeyspace.CreateAsync(server);
        await keyspace.SchemaAsync($"CREATE TABLE {keyspace.Name}.t (k text PRIMARY KEY, n bigint)");
        keyspace.Options.HeartbeatInterval = TimeSpan.FromMilliseconds(300);
        keyspace.Options.ConnectTimeout = TimeSpan.FromSeconds(2);
        await using var proxy = new TcpProxy(keyspace.Options.Port, keyspace.Options.ContactPoints[0]);
        keyspace.Options.Port = proxy.Port;
        await using CqlDataSource cql = CqlDataSource.Create(keyspace.Options);
        var put = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, n) VALUES (?, ?)", idempotent: true);
        var cas = new CqlStatement($"INSERT INTO {keyspace.Name}.t (k, n) VALUES (?, ?) IF NOT EXISTS");
        await cql.ExecuteAsync(put.Bind("a", 1L), Cancellation);
        await cql.CompareAndSetAsync(cas.Bind("a", 1L), Cancellation);
        proxy.Freeze();
        Task<CasResult> conditional = cql.CompareAndSetAsync(cas.Bind("b", 2L), Cancellation);
        await Assert.ThrowsAnyAsync<CqlException>(() => cql.ExecuteAsync(put.Bind("a", 2L), Cancellation));
        Assert.Equal(CasOutcome.Unknown, (await conditional).Outcome);
        await Wait.ForAsync("its silence is noticed", () => cql.ConnectedHosts.Count == 0);
        proxy.Thaw();
        await Wait.ForAsync("it is connected again", () => cql.ConnectedHosts.Count == 1, seconds: 60);
        await cql.ExecuteAsync(put.Bind("a", 3L), Cancellation);
        CqlRow row = (await cql.QueryFirstAsync($"SELECT n FROM {keyspace.Name}.t WHERE k = {"a"}", Cancellation))!.Value;
        Assert.Equal(3L, row.Get<long>("n"));
    }
}
