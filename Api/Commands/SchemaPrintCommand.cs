using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Api.Keys;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Persistence.Cassandra.Schema;

namespace ClickAggregator.Api.Commands;

/// <summary>Prints the tables of a cluster as CQL, for shops where programs may not change schemas.</summary>
internal sealed class SchemaPrintCommand : ICommand
{
    public string Name => "schema print";

    public string Summary => "prints a cluster's tables as CQL for cqlsh, where programs may not make them (Cassandra:CreateSchema=false)";

    public IReadOnlyList<CommandOption> Options { get; } =
    [
        new("--replication", "MAP", "of the keyspace, such as {'class': 'NetworkTopologyStrategy', 'dc1': 3}; default: Cassandra:Replication, one of both is needed"),
        new("--keyspace", "NAME", "the keyspace; default: Cassandra:Keyspace, which is clicks unless set"),
    ];

    public bool OnlyPrints => true;

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        try
        {
            var keyspace = CqlIdentifier.Parse(Given(input, "--keyspace", "Cassandra:Keyspace") ?? "clicks");
            string replication = Given(input, "--replication", "Cassandra:Replication")
                ?? throw new UsageException($"--replication is missing: {Options[0].Summary}");
            await input.Output.WriteAsync(SchemaScript.Of(keyspace, replication, OrleansSchema.Part, CassandraSchema.Clicks, KeyTable.Schema));
            return ExitCodes.Done;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new UsageException(e.Message);
        }
    }

    private static string? Given(CommandInput input, string option, string setting) =>
        input.Options.GetValueOrDefault(option) ?? (input.Given[setting] is { Length: > 0 } set ? set : null);
}
