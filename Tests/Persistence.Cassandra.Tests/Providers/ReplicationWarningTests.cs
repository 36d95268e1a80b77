using ClickAggregator.Persistence.Cassandra.Cql.Protocol;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Persistence.Cassandra.Tests.Fakes;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>A keyspace that is there, in fake clusters of several nodes.</summary>
public class ReplicationWarningTests
{
    private const string Text = "000d";

    [Theory]
    [InlineData(2, 1, true)]
    [InlineData(2, 2, false)]
    [InlineData(1, 1, false)]
    public async Task One_copy_in_a_cluster_of_several_nodes_is_warned_of(int nodes, int copies, bool isWarned)
    {
        await using FakeCluster cluster = FakeCluster.Start(nodes);
        cluster.Values = text => [.. text.Where(character => character == '?').Select((_, index) => ($"v{index}", Text))];
        cluster.On = request => request.Opcode == Opcode.Execute ? Answer(request.Statement, copies) : null;
        var logs = new RecordedLogs();
        await using var sessions = new CassandraSessions(logs);
        var options = new CassandraOptions();
        options.Cql.ContactPoints.Add("127.0.0.1");
        options.Cql.Port = cluster.First.Address.Port;

        await sessions.Get(options).EnsureAsync(OrleansSchema.Part, TestContext.Current.CancellationToken);

        Assert.Equal(isWarned, logs.Lines.Contains(
            "Cassandra: keyspace orleans keeps each row on one of 2 nodes: when that node is away, what it holds cannot be read or written, and when it is lost, "
            + "so is the data. Give the keyspace a replication of 3: ALTER KEYSPACE, then nodetool repair"));
    }

    private static Reply Answer(string statement, int copies) => statement switch
    {
        _ when statement.Contains("schema_versions", StringComparison.Ordinal) => Reply.Rows([("version", "0009")], [[FakeCluster.Int(1)]]),
        _ when statement.Contains("system_schema.keyspaces", StringComparison.Ordinal) => Reply.Rows(
            [("replication", "0021000d000d")], [[FakeCluster.Map("class", "org.apache.cassandra.locator.SimpleStrategy", "replication_factor", $"{copies}")]]),
        _ => Reply.Rows([("table_name", Text)],
            [.. new[] { "grain_state", "membership", "membership_alive", "reminders", "schema_versions" }.Select(table => (byte[]?[])[FakeCluster.Utf8(table)])]),
    };
}
