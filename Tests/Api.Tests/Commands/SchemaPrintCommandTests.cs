using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Api.Commands;
using ClickAggregator.Api.Tests.Keys;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClickAggregator.Api.Tests.Commands;

/// <summary>Where programs may not change schemas, what the command prints is all that they need.</summary>
public class SchemaPrintCommandTests(CassandraServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_printed_is_all_that_a_cluster_needs()
    {
        await using ClusterKeys cluster = await ClusterKeys.NewAsync(server);
        (int code, string script, _) = await cluster.RunAsync(
            null, "schema", "print", "--keyspace", cluster.Keyspace, "--replication", "{'class': 'SimpleStrategy', 'replication_factor': 1}");
        Assert.Equal(ExitCodes.Done, code);

        (code, _, string missing) = await cluster.RunAsync(null, "keys", "list", "--Cassandra:CreateSchema=false");
        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains("run the schema script of this build first", missing, StringComparison.Ordinal);

        await using (CqlDataSource cql = await cluster.CqlAsync())
        {
            foreach (string statement in script.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                await cql.ExecuteSchemaAsync(new CqlStatement(statement), Cancellation);
            }
        }

        Assert.Equal(ExitCodes.Done, (await cluster.RunAsync(null, "keys", "list", "--Cassandra:CreateSchema=false")).Code);
        await using CassandraStore store = await CassandraStore.OpenAsync(
            new CassandraStoreOptions
            {
                Cassandra = options =>
                {
                    cluster.Configure(options);
                    options.CreateSchema = false;
                },
            },
            NullLoggerFactory.Instance, TimeProvider.System, Cancellation);
        Assert.Empty(await store.Counts.ReadDaysAsync(["total"], 20_000, 20_001, Cancellation));
    }

    [Fact]
    public async Task Keyspace_and_replication_are_those_of_the_settings_unless_they_are_named()
    {
        string[] settings = ["--Cassandra:Keyspace=mine", "--Cassandra:Replication={'class': 'NetworkTopologyStrategy', 'west': 2}"];
        (int code, string script, _) = await PrintAsync(settings);
        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains("CREATE KEYSPACE IF NOT EXISTS \"mine\" WITH replication = {'class': 'NetworkTopologyStrategy', 'west': 2}", script, StringComparison.Ordinal);

        (code, script, _) = await PrintAsync([.. settings, "--Cassandra:ContactPoints=x", "--keyspace", "other"]);
        Assert.Equal(ExitCodes.Done, code);
        Assert.Contains("\"other\"", script, StringComparison.Ordinal);
        Assert.DoesNotContain("mine", script, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_setting_or_missing_is_refused()
    {
        (int code, _, string said) = await PrintAsync(["--Cassandra:Keyspce=mine", "--replication", "{'class': 'SimpleStrategy', 'replication_factor': 1}"]);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("Cassandra:Keyspce is not a setting", said, StringComparison.Ordinal);
        (code, _, said) = await PrintAsync(["--Cassandra:Keyspace=mine"]);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains("--replication is missing", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Clicks", "{'class': 'SimpleStrategy', 'replication_factor': 1}", "'Clicks' is no identifier")]
    [InlineData("clicks", "3", "must be a map")]
    public async Task What_cannot_be_printed_is_said(string keyspace, string replication, string said)
    {
        var error = new StringWriter();
        int code = await new CommandLine(AllCommands.Make(TimeProvider.System), TextWriter.Null, error)
            .RunAsync(["schema", "print", "--keyspace", keyspace, "--replication", replication], Cancellation);
        Assert.Equal(ExitCodes.Usage, code);
        Assert.Contains(said, error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Script, string Said)> PrintAsync(string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await new CommandLine(AllCommands.Make(TimeProvider.System), output, error).RunAsync(["schema", "print", .. args], Cancellation);
        return (code, output.ToString(), error.ToString());
    }
}
