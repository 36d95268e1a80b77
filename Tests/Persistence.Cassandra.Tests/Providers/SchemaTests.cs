using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;
using ClickAggregator.Persistence.Cassandra.Tests.Real;
using ClickAggregator.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;

namespace ClickAggregator.Persistence.Cassandra.Tests.Providers;

/// <summary>Keyspace and tables: made when a silo starts, followed by version, and refused.</summary>
public sealed class SchemaTests(CassandraServer server) : IAsyncDisposable
{
    private readonly ProviderKeyspace _keyspace = new(server);
    private readonly RecordedLogs _logs = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private CqlIdentifier Name => CqlIdentifier.Parse(_keyspace.Name);

    [Fact]
    public async Task Several_who_start_at_once_make_one_schema_that_all_can_use()
    {
        CassandraSessions[] all = [.. Enumerable.Range(0, 4).Select(_ => new CassandraSessions(_logs))];
        CassandraOptions options = await OptionsAsync();
        await Task.WhenAll(all.Select(each => each.Get(options).EnsureAsync(OrleansSchema.Part, Cancellation).AsTask()));
        await using CqlDataSource cql = _keyspace.Look();
        Assert.Equal(["grain_state", "membership", "membership_alive", "reminders", "schema_versions"], await TablesAsync(cql));
        Assert.Equal(1, await VersionAsync(cql));
        foreach (CassandraSessions each in all)
        {
            await each.Get(options).EnsureAsync(OrleansSchema.Part, Cancellation);
            await each.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_later_start_changes_nothing_and_neither_does_one_beside_the_next_version()
    {
        await EnsureAsync(await OptionsAsync());
        await using CqlDataSource cql = _keyspace.Look();
        int changes = _logs.Lines.Count;
        await EnsureAsync(await OptionsAsync(options => options.CreateSchema = false));
        await SetVersionAsync(cql, 2);
        await EnsureAsync(await OptionsAsync());
        Assert.Equal(2, await VersionAsync(cql));
        Assert.DoesNotContain(_logs.Lines.Skip(changes), line => line.Contains("was created", StringComparison.Ordinal) || line.Contains("have version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_versions_ahead_is_refused()
    {
        await EnsureAsync(await OptionsAsync());
        await using CqlDataSource cql = _keyspace.Look();
        await SetVersionAsync(cql, 3);
        var fault = await Assert.ThrowsAsync<SchemaUnusableException>(async () => await EnsureAsync(await OptionsAsync()));
        Assert.Equal(
            $"Cassandra: the tables 'orleans' of keyspace {Name.Name} have version 3, and this build knows 1: it works beside the next version and no later one. "
            + "Run a later build", fault.Message);
    }

    [Fact]
    public async Task Where_schemas_may_not_be_changed_a_silo_does_not_start_and_says_which_script_is_to_be_run()
    {
        Action<CassandraOptions> options = await _keyspace.OptionsAsync();
        IHost host = ProviderKeyspace.Silo("mine", silo =>
            silo.AddCassandraGrainStorage("state", options + (each => each.CreateSchema = false)));
        try
        {
            var fault = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(Cancellation));
            Assert.Contains("version 0 and this build needs 1", fault.ToString(), StringComparison.Ordinal);
            Assert.Contains("CassandraOptions.CreateSchema is false: run the schema script of this build first", fault.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            await ProviderKeyspace.CloseAsync(host);
        }
    }

    [Fact]
    public async Task The_script_makes_what_a_silo_would_and_may_be_run_again()
    {
        CassandraOptions options = await OptionsAsync(each => each.CreateSchema = false);
        await using CqlDataSource cql = _keyspace.Look();
        string script = SchemaScript.Of(Name, "{'class': 'SimpleStrategy', 'replication_factor': 1}", OrleansSchema.Part);
        foreach (string statement in Enumerable.Repeat(script, 2).SelectMany(text => text.Split(";\n", StringSplitOptions.RemoveEmptyEntries)))
        {
            await cql.ExecuteSchemaAsync(new CqlStatement(statement), Cancellation);
        }

        await EnsureAsync(options);
        Assert.Equal(1, await VersionAsync(cql));
    }

    [Fact]
    public async Task A_table_that_is_gone_is_told_of()
    {
        await EnsureAsync(await OptionsAsync());
        await using CqlDataSource cql = _keyspace.Look();
        await cql.ExecuteSchemaAsync(new CqlStatement($"DROP TABLE {Name}.membership"), Cancellation);
        var fault = await Assert.ThrowsAsync<SchemaUnusableException>(async () => await EnsureAsync(await OptionsAsync()));
        Assert.Equal(
            $"Cassandra: keyspace {Name.Name} has version 1 of 'orleans' but lacks membership: restore it, or run the schema script of this build", fault.Message);
    }

    [Fact]
    public async Task The_replication_of_the_options_is_that_of_the_keyspace_and_else_it_is_that_of_the_data_centre()
    {
        await EnsureAsync(await OptionsAsync(options => options.Replication = "{'class': 'SimpleStrategy', 'replication_factor': '1'}"));
        await using CqlDataSource cql = _keyspace.Look();
        Assert.EndsWith("SimpleStrategy", (await ReplicationAsync(cql))["class"], StringComparison.Ordinal);
        await cql.ExecuteSchemaAsync(new CqlStatement($"DROP KEYSPACE {Name}"), Cancellation);

        await EnsureAsync(await OptionsAsync());
        IReadOnlyDictionary<string, string> replication = await ReplicationAsync(cql);
        Assert.EndsWith("NetworkTopologyStrategy", replication["class"], StringComparison.Ordinal);
        Assert.Equal($"{Math.Min(3, cql.LocalHostCount)}", replication[cql.LocalDataCenter]);
    }

    [Theory]
    [InlineData("{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc 2': '3'}", true)]
    [InlineData(" {'class': 'SimpleStrategy'}", false)]
    [InlineData("{'class': 'SimpleStrategy', 'replication_factor': 1}; DROP KEYSPACE x", false)]
    [InlineData("{'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = false", false)]
    [InlineData("{'class': 'Simple''Strategy'}", false)]
    [InlineData("3", false)]
    public void A_replication_is_a_map_and_nothing_else(string text, bool isValid)
    {
        Assert.Equal(isValid, KeyspaceReplication.IsValid(text));
        var options = new CassandraOptions { Replication = text };
        options.Cql.ContactPoints.Add("host");
        Assert.Equal(isValid, options.Validate().Count == 0);
        if (!isValid)
        {
            Assert.Throws<ArgumentException>(() => SchemaScript.Of(Name, text, OrleansSchema.Part));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(7, 3)]
    public void There_are_three_copies_or_as_many_as_there_are_nodes(int nodes, int copies) =>
        Assert.Equal($"{{'class': 'NetworkTopologyStrategy', 'dc1': {copies}}}", KeyspaceReplication.For("dc1", nodes));

    [Fact]
    public void A_table_has_the_same_id_wherever_it_is_made()
    {
        string text = OrleansSchema.Part.Versions[0][0].TextFor(CqlIdentifier.Parse("orleans"));
        Assert.Equal(
            """
            CREATE TABLE IF NOT EXISTS "orleans"."grain_state" (
                service text,
                grain text,
                name text,
                etag uuid,
                present boolean,
                payload blob,
                PRIMARY KEY ((service, grain, name)))
                WITH id = ID
            """.Replace("ID", text[^36..], StringComparison.Ordinal), text);
        Assert.Equal(text, OrleansSchema.Part.Versions[0][0].TextFor(CqlIdentifier.Parse("orleans")));
        Assert.NotEqual(text[^36..], OrleansSchema.Part.Versions[0][0].TextFor(CqlIdentifier.Parse("other"))[^36..]);
    }

    public async ValueTask DisposeAsync() => await _keyspace.DisposeAsync();

    private async Task<CassandraOptions> OptionsAsync(Action<CassandraOptions>? change = null)
    {
        var options = new CassandraOptions();
        (await _keyspace.OptionsAsync())(options);
        change?.Invoke(options);
        return options;
    }

    private async Task EnsureAsync(CassandraOptions options)
    {
        await using var sessions = new CassandraSessions(_logs);
        await sessions.Get(options).EnsureAsync(OrleansSchema.Part, Cancellation);
    }

    private async Task<string[]> TablesAsync(CqlDataSource cql)
    {
        var tables = new List<string>();
        await foreach (CqlRow row in cql.QueryAsync($"SELECT table_name FROM system_schema.tables WHERE keyspace_name = {Name.Name}", Cancellation))
        {
            tables.Add(row.Get<string>("table_name"));
        }

        return [.. tables.Order()];
    }

    private async Task<int> VersionAsync(CqlDataSource cql) =>
        (await cql.QueryFirstAsync($"SELECT version FROM {Name}.schema_versions WHERE part = {"orleans"}", Cancellation))!.Value.Get<int>("version");

    private Task<CqlPage> SetVersionAsync(CqlDataSource cql, int version) =>
        cql.ExecuteAsync($"INSERT INTO {Name}.schema_versions (part, version) VALUES ({"orleans"}, {version})", Cancellation);

    private async Task<IReadOnlyDictionary<string, string>> ReplicationAsync(CqlDataSource cql) =>
        (await cql.QueryFirstAsync($"SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = {Name.Name}", Cancellation))!.Value
            .Get<IReadOnlyDictionary<string, string>>("replication");
}
