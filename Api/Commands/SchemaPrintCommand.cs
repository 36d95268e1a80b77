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
        new("--replication", "MAP", "of the keyspace, such as {'class': 'NetworkTopologyStrategy', 'dc1': 3}", Required: true),
        new("--keyspace", "NAME", "the keyspace; default: clicks"),
    ];

    public async Task<int> RunAsync(CommandInput input, CancellationToken cancellationToken)
    {
        try
        {
            CqlIdentifier keyspace = CqlIdentifier.Parse(input.Options.GetValueOrDefault("--keyspace", "clicks"));
            await input.Output.WriteAsync(SchemaScript.Of(
                keyspace, input.Options["--replication"], OrleansSchema.Part, CassandraSchema.Clicks, KeyTable.Schema));
            return ExitCodes.Done;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new UsageException(e.Message);
        }
    }
}
