using System.Collections.Concurrent;
using System.Net;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Cql.Cluster;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Tests.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace ClickAggregator.Persistence.Cassandra.Tests.Cluster;

public class ClusterTests
{
    private static readonly CqlStatement s_put = new("UPDATE ks.t SET n = ? WHERE k = ?", idempotent: true);
    private static readonly CqlStatement s_cas = new("UPDATE ks.t SET n = ? WHERE k = ? IF n = ?");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Peers_are_found_in_the_second_table_or_the_first(bool second)
    {
        await using FakeCluster cluster = FakeCluster.Start(3);
        cluster.HasPeersV2 = second;
        await using CqlDataSource cql = cluster.Connect();
        await cql.OpenAsync(Cancellation);
        await Wait.ForAsync("all nodes are connected", () => cql.ConnectedHosts.Count == 3);
    }

    [Fact]
    public async Task A_request_goes_to_a_node_that_has_its_row()
    {
        await using FakeCluster cluster = FakeCluster.Start(3);
        cluster.ReplicationFactor = 2;
        cluster.First.Tokens = [long.MinValue / 2];
        cluster.Nodes[1].Tokens = [0];
        cluster.Nodes[2].Tokens = [long.MaxValue / 2];
        cluster.On = request => request.Opcode == Opcode.Execute && request.Statement == s_cas.Text ? Reply.Rows([("[applied]", "0004")], [[[1]]]) : null;
        await using CqlDataSource cql = cluster.Connect();
        await cql.OpenAsync(Cancellation);
        await Wait.ForAsync("all nodes are connected", () => cql.ConnectedHosts.Count == 3);
        for (int key = 0; key < 200; key++)
        {
            await cql.ExecuteAsync(s_put.Bind(key, 1), Cancellation);
            await cql.CompareAndSetAsync(s_cas.Bind(key, 1, 1), Cancellation);
        }

        foreach (FakeNode node in cluster.Nodes)
        {
            List<FakeRequest> plain = [.. node.Of(Opcode.Execute).Where(request => request.Statement == s_put.Text)];
            Assert.NotEmpty(plain);
            Assert.All(plain, request => Assert.Contains(node, Owners(cluster, request, 2)));
            List<FakeRequest> conditional = [.. node.Of(Opcode.Execute).Where(request => request.Statement == s_cas.Text)];
            Assert.NotEmpty(conditional);
            Assert.All(conditional, request => Assert.Equal([node], Owners(cluster, request, 1)));
        }
    }

    [Fact]
    public async Task Only_nodes_of_the_local_data_centre_are_asked()
    {
        await using FakeCluster cluster = FakeCluster.Start(3);
        cluster.Nodes[1].DataCenter = "dc2";
        cluster.Nodes[2].Tokens = [long.MaxValue];
        await using CqlDataSource cql = cluster.Connect();
        for (int key = 0; key < 30; key++)
        {
            await cql.ExecuteAsync(s_put.Bind(key, 1), Cancellation);
        }

        Assert.Empty(cluster.Nodes[1].Requests);
        Assert.NotEmpty(cluster.First.Of(Opcode.Execute));
        Assert.NotEmpty(cluster.Nodes[2].Of(Opcode.Execute));

        cluster.Options.LocalDataCenter = "dc3";
        await using CqlDataSource nowhere = cluster.Connect();
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => nowhere.OpenAsync(Cancellation));
        Assert.Equal("No node is known in the data centre dc3", fault.Message);
    }

    [Fact]
    public async Task A_node_that_refuses_is_left_out_until_it_is_back()
    {
        await using FakeCluster cluster = FakeCluster.Start(2);
        await using CqlDataSource cql = cluster.Connect();
        await cql.OpenAsync(Cancellation);
        await Wait.ForAsync("both are connected", () => cql.ConnectedHosts.Count == 2);
        cluster.Nodes[1].Stop();
        await Wait.ForAsync("one is lost", () => cql.ConnectedHosts.Count == 1);
        for (int key = 0; key < 30; key++)
        {
            await cql.ExecuteAsync(s_put.Bind(key, 1), Cancellation);
        }

        cluster.Nodes[1].Start();
        await Wait.ForAsync("both are connected again", () => cql.ConnectedHosts.Count == 2);
    }

    [Fact]
    public async Task A_node_that_freezes_loses_its_requests_to_others()
    {
        await using FakeCluster cluster = FakeCluster.Start(2);
        cluster.Nodes[1].Tokens = [long.MaxValue];
        cluster.Options.HeartbeatInterval = TimeSpan.FromSeconds(3);
        cluster.Options.ConnectTimeout = TimeSpan.FromSeconds(1);
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.Zero };
        await using CqlDataSource cql = cluster.Connect(time: time);
        await cql.OpenAsync(Cancellation);
        await Wait.ForAsync("both are connected", () => cql.ConnectedHosts.Count == 2);
        await cql.ExecuteAsync(s_put.Bind(0, 0), Cancellation);
        cluster.Nodes[1].IsFrozen = true;
        Task[] writes = [.. Enumerable.Range(0, 40).Select(key => cql.ExecuteAsync(s_put.Bind(key, 1), Cancellation))];
        await Wait.ForAsync("all of them are at a node", () => cluster.Nodes.Sum(node => node.Of(Opcode.Execute).Count()) == 41);
        Assert.Contains(cluster.Nodes[1].Of(Opcode.Execute), request => request.Statement == s_put.Text);
        Assert.Contains(writes, write => !write.IsCompleted);
        await Wait.ForAsync("the silence is noticed", () =>
        {
            time.Advance(TimeSpan.FromSeconds(0.1));
            return cql.ConnectedHosts.Count == 1;
        });
        await Task.WhenAll(writes);
        cluster.Nodes[1].IsFrozen = false;
        await Wait.ForAsync("it is back", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return cql.ConnectedHosts.Count == 2;
        });
    }

    [Fact]
    public async Task A_node_that_is_announced_is_used_and_one_that_is_removed_is_not()
    {
        await using FakeCluster cluster = FakeCluster.Start(1);
        await using CqlDataSource cql = cluster.Connect();
        await cql.OpenAsync(Cancellation);
        FakeNode second = cluster.Add(2);
        second.Tokens = [77];
        await cluster.First.PushAsync(Event("TOPOLOGY_CHANGE", "NEW_NODE"));
        await Wait.ForAsync("it is connected", () => cql.ConnectedHosts.Count == 2);
        cluster.Nodes.Remove(second);
        await cluster.First.PushAsync(Event("TOPOLOGY_CHANGE", "REMOVED_NODE"));
        await Wait.ForAsync("it is left", () => cql.ConnectedHosts.Count == 1 && second.Connections == 0);
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_storm_of_events_is_one_look()
    {
        await using FakeCluster cluster = FakeCluster.Start(1);
        cluster.Options.EventDelay = TimeSpan.FromSeconds(1);
        var time = new FakeTimeProvider();
        await using CqlDataSource cql = cluster.Connect(time: time);
        await cql.OpenAsync(Cancellation);
        int before = Looks();
        for (int n = 0; n < 100; n++)
        {
            await cluster.First.PushAsync(Event("SCHEMA_CHANGE", "UPDATED"));
        }

        // An answer comes after the events that were sent before it.
        await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        Assert.Equal(before, Looks());
        await Wait.ForAsync("it looks", () =>
        {
            time.Advance(TimeSpan.FromSeconds(0.5));
            return Looks() > before;
        });
        Assert.InRange(Looks(), before + 1, before + 2);

        int Looks() => cluster.First.Of(Opcode.Query).Count(request => request.Text.Contains("system.local", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_control_connection_moves_to_another_node()
    {
        await using FakeCluster cluster = FakeCluster.Start(2);
        await using CqlDataSource cql = cluster.Connect();
        await cql.OpenAsync(Cancellation);
        await Wait.ForAsync("both are connected", () => cql.ConnectedHosts.Count == 2);
        Assert.Single(cluster.First.Of(Opcode.Register));
        cluster.First.Stop();
        await Wait.ForAsync("the other node tells of changes", () => cluster.Nodes[1].Of(Opcode.Register).Any());
        await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
    }

    [Fact]
    public async Task A_cluster_all_of_whose_addresses_have_changed_is_found_by_its_name()
    {
        await using FakeCluster cluster = FakeCluster.Start(2);
        cluster.Options.ContactPoints.Clear();
        cluster.Options.ContactPoints.Add("cassandra.test");
        var asked = new ConcurrentQueue<string>();
        IPAddress now = cluster.First.Address.Address;
        await using CqlDataSource cql = CqlDataSource.Create(cluster.Options, (name, _) =>
        {
            asked.Enqueue(name);
            return Task.FromResult(new[] { now });
        });
        await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        Assert.Equal(["cassandra.test"], asked);

        FakeNode[] old = [.. cluster.Nodes];
        cluster.Add(11).Tokens = [5];
        cluster.Add(12).Tokens = [6];
        cluster.Nodes.RemoveRange(0, 2);
        now = cluster.First.Address.Address;
        foreach (FakeNode node in old)
        {
            await node.DisposeAsync();
        }

        await Wait.ForAsync("the new addresses are connected", () => cql.ConnectedHosts.Order().SequenceEqual(cluster.Nodes.Select(node => node.Address.ToString()).Order()));
        await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        Assert.True(asked.Count > 1);
    }

    [Fact]
    public async Task Who_cannot_reach_anybody_is_told_and_may_ask_again()
    {
        await using FakeCluster cluster = FakeCluster.Start(1);
        cluster.First.Stop();
        await using CqlDataSource cql = cluster.Connect();
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation));
        Assert.True(fault.NotSent && fault.IsTransient);
        Assert.IsType<CqlConnectionException>(fault.InnerException);
        cluster.First.Start();
        await Wait.ForAsync("it is found by itself", () => cql.ConnectedHosts.Count == 1);
        await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
    }

    [Fact]
    public async Task A_wrong_password_is_not_transient()
    {
        await using FakeCluster cluster = FakeCluster.Start(1);
        cluster.On = request => request.Opcode == Opcode.Startup ? Reply.Error(CqlErrorCode.AuthenticationError, "no") : null;
        await using CqlDataSource cql = cluster.Connect();
        var fault = await Assert.ThrowsAsync<CqlNoHostException>(() => cql.OpenAsync(Cancellation));
        Assert.False(fault.IsTransient);
        Assert.IsType<CqlAuthenticationException>(fault.InnerException);
    }

    [Fact]
    public async Task A_connection_with_too_many_missing_answers_is_replaced_and_nobody_notices()
    {
        await using FakeCluster cluster = FakeCluster.Start(1);
        cluster.Options.MaxRequestsPerConnection = 8;
        cluster.On = request => request.Opcode == Opcode.Execute && request.Parameters.Values[0]![3] == 99 ? Reply.None : null;
        await using CqlDataSource cql = cluster.Connect();
        await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        for (int round = 1; round <= 10; round++)
        {
            using var giveUp = new CancellationTokenSource();
            Task[] lost = [.. Enumerable.Range(0, 2).Select(_ => cql.ExecuteAsync(s_put.Bind(99, 1), giveUp.Token))];
            await Wait.ForAsync("they arrive", () => cluster.First.Of(Opcode.Execute).Count(each => each.Parameters.Values[0]![3] == 99) == 2 * round);
            await giveUp.CancelAsync();
            foreach (Task each in lost)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => each);
            }

            await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        }

        // The control connection, the first one, and one more each round.
        Assert.Equal(12, cluster.First.Of(Opcode.Startup).Count());
    }

    [Fact]
    public async Task What_is_closed_is_closed()
    {
        await using FakeCluster cluster = FakeCluster.Start(2);
        CqlDataSource cql = cluster.Connect();
        await cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation);
        await cql.DisposeAsync();
        await cql.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cql.ExecuteAsync(s_put.Bind(1, 1), Cancellation));
        await Wait.ForAsync("nobody is connected", () => cluster.Nodes.TrueForAll(node => node.Connections == 0));
        await using CqlDataSource unused = cluster.Connect();
    }

    private static Reply Event(string type, string change) => Reply.Of(Opcode.Event, buffer =>
    {
        buffer.WriteString(type);
        buffer.WriteString(change);
        buffer.WriteRaw(Hex.Bytes("04 7f000002 00002352"));
    });

    private static IEnumerable<FakeNode> Owners(FakeCluster cluster, FakeRequest request, int count)
    {
        long token = Murmur3.Token(request.Parameters.Values[0]);
        int first = Enumerable.Range(0, 3).FirstOrDefault(index => cluster.Nodes[index].Tokens[0] >= token);
        return Enumerable.Range(first, count).Select(index => cluster.Nodes[index % 3]);
    }
}
