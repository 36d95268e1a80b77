using System.Security.Cryptography;
using System.Text;
using ClickAggregator.Persistence.Cassandra.Cql;

namespace ClickAggregator.Persistence.Cassandra.Schema;

/// <summary>
/// One change of the schema. It only adds, so the version before goes on working beside it; and it may be made twice, by
/// several at once, too.
/// </summary>
public sealed class SchemaStep
{
    private readonly Func<CqlIdentifier, CqlIdentifier, string> _text;

    private SchemaStep(string table, Func<CqlIdentifier, CqlIdentifier, string> text)
    {
        Table = CqlIdentifier.Parse(table);
        _text = text;
    }

    /// <summary>The table that is made or changed.</summary>
    public CqlIdentifier Table { get; }

    /// <summary>A new table.</summary>
    /// <param name="table">Its name.</param>
    /// <param name="columns">Columns and key, as they stand in CQL between the brackets.</param>
    /// <param name="options">What follows WITH, or nothing.</param>
    /// <remarks>
    /// The table's id is a function of its name. Without one, two nodes that are asked to create it at the same time make two
    /// tables of that name, and the rows of one of them are lost.
    /// </remarks>
    public static SchemaStep NewTable(string table, string columns, string options = "") => new(table, (keyspace, name) =>
        $"CREATE TABLE IF NOT EXISTS {keyspace}.{name} (\n    {columns.Trim()})\n    WITH id = {IdOf(keyspace, name)}"
        + (options.Length > 0 ? $"\n    AND {options.Trim()}" : ""));

    /// <summary>A new column of a table that exists. Cassandra 4.0 and later.</summary>
    public static SchemaStep NewColumn(string table, string column, string type) => new(table, (keyspace, name) =>
        $"ALTER TABLE {keyspace}.{name} ADD IF NOT EXISTS {CqlIdentifier.Parse(column)} {type}");

    /// <summary>As CQL.</summary>
    public string TextFor(CqlIdentifier keyspace) => _text(keyspace, Table);

    private static Guid IdOf(CqlIdentifier keyspace, CqlIdentifier table)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{keyspace.Name}.{table.Name}"));
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80); // version 8, RFC 9562: of one's own making
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }
}
