using System.Runtime.CompilerServices;
using System.Text.Json;
using ClickAggregator.Persistence.Cassandra.Cql;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.Api.Verify;

/// <summary>The counting's own records as they are stored, read with nothing of its code.</summary>
internal interface IStoredStates
{
    /// <summary>Those of a name, of all grains.</summary>
    IAsyncEnumerable<JsonElement> ReadAsync(string name, CancellationToken cancellationToken);
}

/// <summary>Of a data directory.</summary>
/// <param name="store">Its store.db.</param>
internal sealed class StatesInSqlite(string store) : IStoredStates
{
    public async IAsyncEnumerable<JsonElement> ReadAsync(string name, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = store, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        await connection.OpenAsync(cancellationToken);
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT payload FROM grain_state WHERE name = $name";
        command.Parameters.AddWithValue("$name", name);
        await using SqliteDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return JsonSerializer.Deserialize<JsonElement>((byte[])reader[0]);
        }
    }
}

/// <summary>Of a cluster.</summary>
/// <param name="cql">Its Cassandra.</param>
/// <param name="keyspace">Its keyspace.</param>
/// <param name="service">Its <c>Cluster:ServiceId</c>.</param>
internal sealed class StatesInCassandra(CqlDataSource cql, CqlIdentifier keyspace, string service) : IStoredStates
{
    public async IAsyncEnumerable<JsonElement> ReadAsync(string name, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The grain is part of the key, and wanted are all: Cassandra looks through the table, and sends these rows only.
        var named = new CqlStatement($"SELECT present, payload FROM {keyspace}.grain_state WHERE service = ? AND name = ? ALLOW FILTERING");
        await foreach (CqlRow row in cql.QueryAsync(named.Bind(service, name), cancellationToken))
        {
            if (row.Get<bool>("present"))
            {
                yield return JsonSerializer.Deserialize<JsonElement>(row.Get<ReadOnlyMemory<byte>>("payload").Span);
            }
        }
    }
}
