using System.Globalization;
using System.Text;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Persistence.Cassandra.Schema;

/// <summary>The schema as a script for cqlsh, for shops where programs may not change schemas.</summary>
public static class SchemaScript
{
    internal static SchemaStep Versions { get; } = SchemaStep.NewTable("schema_versions", "part text PRIMARY KEY, version int");

    /// <summary>Everything of some parts, ready to be run, again too.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="replication">What it is created with, as in CQL.</param>
    /// <param name="parts">Whose tables.</param>
    /// <exception cref="ArgumentException">The replication is no map.</exception>
    public static string Of(CqlIdentifier keyspace, string replication, params IReadOnlyList<SchemaPart> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (!KeyspaceReplication.IsValid(replication))
        {
            throw new ArgumentException(KeyspaceReplication.Rule, nameof(replication));
        }

        var script = new StringBuilder();
        script.Append(KeyspaceText(keyspace, replication)).Append(";\n");
        script.Append(Versions.TextFor(keyspace)).Append(";\n");
        foreach (SchemaPart part in parts)
        {
            foreach (SchemaStep step in part.Versions.SelectMany(steps => steps))
            {
                script.Append(step.TextFor(keyspace)).Append(";\n");
            }

            script.Append(
                CultureInfo.InvariantCulture, $"INSERT INTO {keyspace}.{Versions.Table} (part, version) VALUES ('{part.Name}', {part.Current});\n");
        }

        return script.ToString();
    }

    internal static string KeyspaceText(CqlIdentifier keyspace, string replication) =>
        $"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {replication}";
}
