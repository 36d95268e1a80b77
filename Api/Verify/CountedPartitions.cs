using System.Text.Json;

namespace ClickAggregator.Api.Verify;

/// <summary>How far each partition is counted, read from the stored records with nothing of the counting's own code.</summary>
internal static class CountedPartitions
{
    /// <summary>Every chain that is counted, and those of logs that were closed when another took their place.</summary>
    public static async Task<IReadOnlyList<CountedPartition>> ReadAsync(IStoredStates states, CancellationToken cancellationToken)
    {
        Dictionary<int, (int Partition, string Log)> numbers = await NumbersAsync(states, cancellationToken);
        var counted = new List<CountedPartition>();
        await foreach (JsonElement state in states.ReadAsync("chain", cancellationToken))
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
    public static async Task<IReadOnlySet<int>> ReadNumbersAsync(IStoredStates states, CancellationToken cancellationToken) =>
        (await NumbersAsync(states, cancellationToken)).Keys.ToHashSet();

    private static async Task<Dictionary<int, (int Partition, string Log)>> NumbersAsync(IStoredStates states, CancellationToken cancellationToken)
    {
        var numbers = new Dictionary<int, (int Partition, string Log)>();
        await foreach (JsonElement registry in states.ReadAsync("chains", cancellationToken))
        {
            foreach (JsonElement chain in registry.GetProperty("Chains").EnumerateArray())
            {
                numbers[chain.GetProperty("Number").GetInt32()] = (chain.GetProperty("Partition").GetInt32(), chain.GetProperty("Log").GetString()!);
            }
        }

        return numbers;
    }
}
