using ClickAggregator.Persistence.Cassandra.Cql.Codecs;

namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>A column of a result, or a value that a statement asks for.</summary>
public sealed class CqlColumn
{
    internal CqlColumn(string keyspace, string table, string name, CqlType type)
    {
        Keyspace = keyspace;
        Table = table;
        Name = name;
        Type = type;
    }

    public string Keyspace { get; }

    public string Table { get; }

    public string Name { get; }

    /// <summary>Its type as CQL writes it, for example <c>map&lt;int, bigint&gt;</c>.</summary>
    public string TypeName => Type.ToString();

    internal CqlType Type { get; }
}
