using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.Api.Verify;

/// <summary>How far each partition is counted, read from the stored records with nothing of the counting's own code.</summary>
internal static class CountedPartitions
{
    /// <summary>Every chain that is counted, and those of logs that were closed when another took their place.</summary>
    public static async Task<IReadOnlyList<CountedPartition>> ReadAsync(string store, CancellationToken cancellationToken)
    {
        await using SqliteConnection connection = await OpenAsync(store, cancellationToken);
        Dictionary<int, (int Partition, string Log)> numbers = await NumbersAsync(connection, cancellationToken);
        var counted = new List<CountedPartition>();
        await foreach (JsonElement state in StatesAsync(connection, "chain", cancellationToken))
        {
            JsonElement chain = state.GetProperty("Chain");
            int number = chain.GetProperty("Chain").GetInt32();
            int partition = numbers[number].Partition;
            bool isClosed = chain.TryGetProperty("ClosedAt", out JsonElement at) && at.ValueKind == JsonValueKind.Number;
            counted.Add(new CountedPartition(partition, number, chain.GetProperty("Next").GetInt64(), chain.GetProperty("Log").GetString()!, isClosed));
            if (!chain.TryGetProperty("Closed", out JsonElement before))
            {
                continue;
            }

            foreach (JsonElement closed in before.EnumerateArray())
            {
                (int, string) place = (partition, closed.GetProperty("Log").GetString()!);
                foreach (int old in numbers.Where(one => one.Value == place).Select(one => one.Key))
                {
                    counted.Add(new CountedPartition(partition, old, closed.GetProperty("At").GetInt64(), place.Item2, IsClosed: true));
                }
            }
        }

        return counted;
    }

    /// <summary>Every chain's number.</summary>
    public static async Task<IReadOnlySet<int>> ReadNumbersAsync(string store, CancellationToken cancellationToken)
    {
        await using SqliteConnection connection = await OpenAsync(store, cancellationToken);
        return (await NumbersAsync(connection, cancellationToken)).Keys.ToHashSet();
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

    private static async Task<Dictionary<int, (int Partition, string Log)>> NumbersAsync(SqliteConnection connection, CancellationToken cancellationToken)
    {
        var numbers = new Dictionary<int, (int Partition, string Log)>();
        await foreach (JsonElement registry in StatesAsync(connection, "chains", cancellationToken))
        {
            foreach (JsonElement chain in registry.GetProperty("Chains").EnumerateArray())
            {
                numbers[chain.GetProperty("Number").GetInt32()] = (chain.GetProperty("Partition").GetInt32(), chain.GetProperty("Log").GetString()!);
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
