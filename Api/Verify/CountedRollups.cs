using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace ClickAggregator.Api.Verify;

/// <summary>Since when clicks are counted by each rollup, read from the stored record with nothing of the counting's own code.</summary>
internal sealed class CountedRollups
{
    private readonly Dictionary<string, Standing> _rollups = new(StringComparer.Ordinal);

    /// <summary>The rollups that some partition counts by; none where that was not noted.</summary>
    public IReadOnlyCollection<string> Names => _rollups.Keys;

    public static async Task<CountedRollups> ReadAsync(string store, CancellationToken cancellationToken)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = store, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        await connection.OpenAsync(cancellationToken);
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT payload FROM grain_state WHERE name = 'rollups'";
        var counted = new CountedRollups();
        if (await command.ExecuteScalarAsync(cancellationToken) is byte[] payload)
        {
            using var json = JsonDocument.Parse(payload);
            counted.Add(json.RootElement);
        }

        return counted;
    }

    /// <summary>Whether every click of an hour is to be counted by a rollup.</summary>
    public bool IsWhole(string rollup, int hour) =>
        _rollups.Count == 0 || (_rollups.TryGetValue(rollup, out Standing? standing) && (hour >= standing.Start || standing.Rebuilt.Any(range => hour >= range.From && hour < range.To)));

    private void Add(JsonElement history)
    {
        foreach (JsonProperty rollup in history.GetProperty("Partitions").EnumerateObject().SelectMany(partition => partition.Value.EnumerateObject()))
        {
            int start = rollup.Value.ValueKind == JsonValueKind.Number ? rollup.Value.GetInt32() : int.MinValue;
            Standing? known = _rollups.GetValueOrDefault(rollup.Name);
            _rollups[rollup.Name] = new Standing(Math.Max(start, known?.Start ?? int.MinValue), known?.Rebuilt ?? Ranges(history, rollup.Name));
        }
    }

    private static (int From, int To)[] Ranges(JsonElement history, string rollup) =>
        history.TryGetProperty("Rebuilt", out JsonElement rebuilt) && rebuilt.TryGetProperty(rollup, out JsonElement of)
            ? [.. of.GetProperty("Ranges").EnumerateArray().Select(range => (range.GetProperty("From").GetInt32(), range.GetProperty("To").GetInt32()))]
            : [];

    private sealed record Standing(int Start, (int From, int To)[] Rebuilt);
}
