using System.Text.Json;

namespace ClickAggregator.Api.Verify;

/// <summary>Since when clicks are counted by each rollup, read from the stored record with nothing of the counting's own code.</summary>
internal sealed class CountedRollups
{
    private readonly Dictionary<string, Standing> _rollups = new(StringComparer.Ordinal);
    private readonly HashSet<string> _inForce = new(StringComparer.Ordinal);

    /// <summary>The rollups that some partition counts by; none where that was not noted.</summary>
    public IReadOnlyCollection<string> Names => _rollups.Keys;

    /// <summary>Those of the partitions of the log that was counted last, and no others.</summary>
    public IReadOnlyCollection<string> InForce => _inForce;

    public static async Task<CountedRollups> ReadAsync(IStoredStates states, CancellationToken cancellationToken)
    {
        var counted = new CountedRollups();
        await foreach (JsonElement history in states.ReadAsync("rollups", cancellationToken))
        {
            counted.Add(history);
        }

        return counted;
    }

    /// <summary>Whether every click of an hour is to be counted by a rollup.</summary>
    public bool IsWhole(string rollup, int hour) =>
        _rollups.Count == 0 || (_rollups.TryGetValue(rollup, out Standing? standing) && (hour >= standing.Start || standing.Rebuilt.Any(range => hour >= range.From && hour < range.To)));

    private void Add(JsonElement history)
    {
        string? log = Text(history, "Log");
        foreach (JsonProperty partition in history.GetProperty("Partitions").EnumerateObject())
        {
            if (history.TryGetProperty("Logs", out JsonElement logs) && Text(logs, partition.Name) == log)
            {
                _inForce.UnionWith(partition.Value.EnumerateObject().Select(rollup => rollup.Name));
            }
        }

        foreach (JsonProperty rollup in history.GetProperty("Partitions").EnumerateObject().SelectMany(partition => partition.Value.EnumerateObject()))
        {
            int start = rollup.Value.ValueKind == JsonValueKind.Number ? rollup.Value.GetInt32() : int.MinValue;
            Standing? known = _rollups.GetValueOrDefault(rollup.Name);
            _rollups[rollup.Name] = new Standing(Math.Max(start, known?.Start ?? int.MinValue), known?.Rebuilt ?? Ranges(history, rollup.Name));
        }
    }

    private static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement text) ? text.GetString() : null;

    private static (int From, int To)[] Ranges(JsonElement history, string rollup) =>
        history.TryGetProperty("Rebuilt", out JsonElement rebuilt) && rebuilt.TryGetProperty(rollup, out JsonElement of)
            ? [.. of.GetProperty("Ranges").EnumerateArray().Select(range => (range.GetProperty("From").GetInt32(), range.GetProperty("To").GetInt32()))]
            : [];

    private sealed record Standing(int Start, (int From, int To)[] Rebuilt);
}
