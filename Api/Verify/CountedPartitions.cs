using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.Api.Verify;

/// <summary>How far each partition is counted, read from the stored records with nothing of the counting's own code.</summary>
internal static class CountedPartitions
{
    public static async Task<IReadOnlyList<CountedPartition>> ReadAsync(string store, CancellationToken cancellationToken)
    {
        await using SqliteConnection connection = await OpenAsync(store, cancellationToken);
        Dictionary<int, int> numbers = await NumbersAsync(connection, cancellationToken);
        var counted = new List<CountedPartition>();
        await foreach (JsonElement state in StatesAsync(connection, "chain", cancellationToken))
        {
            JsonElement chain = state.GetProperty("Chain");
            int number = chain.GetProperty("Chain").GetInt32();
            counted.Add(new CountedPartition(numbers[number], number, chain.GetProperty("Next").GetInt64(), chain.GetProperty("Log").GetString()!));
        }

        return counted;
    }

    /// <summary>The chains of logs that were counted before the ones of now: what is there holds nothing of theirs.</summary>
    public static async Task<IReadOnlySet<int>> ReadEarlierAsync(
        string store, IReadOnlyList<CountedPartition> counted, CancellationToken cancellationToken)
    {
        await using SqliteConnection connection = await OpenAsync(store, cancellationToken);
        return (await NumbersAsync(connection, cancellationToken)).Keys.Except(counted.Select(partition => partition.Chain)).ToHashSet();
    }

    private static async Task<SqliteConnection> OpenAsync(string store, CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = store,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        }.ToString());
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    private static async Task<Dictionary<int, int>> NumbersAsync(SqliteConnection connection, CancellationToken cancellationToken)
    {
        var numbers = new Dictionary<int, int>();
        await foreach (JsonElement registry in StatesAsync(connection, "chains", cancellationToken))
        {
            foreach (JsonElement chain in registry.GetProperty("Chains").EnumerateArray())
            {
                numbers[chain.GetProperty("Number").GetInt32()] = chain.GetProperty("Partition").GetInt32();
            }
        }

        return numbers;
    }

    private static async IAsyncEnumerable<JsonElement> StatesAsync(
        SqliteConnection connection, string name, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT payload FROM grain_state WHERE name = $name";
        command.Parameters.AddWithValue("$name", name);
        await using SqliteDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return JsonDocument.Parse((byte[])reader[0]).RootElement;
        }
    }
}
