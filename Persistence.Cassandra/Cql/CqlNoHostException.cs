namespace ClickAggregator.Persistence.Cassandra.Cql;

/// <summary>
/// No node could be asked. Nothing was sent. The message has the reason of each node, the inner exception is the last one's;
/// it is transient if one of the reasons is.
/// </summary>
public sealed class CqlNoHostException : CqlException
{
    // A line for people: a cluster of a hundred nodes that are away is told by some of them.
    private const int MaxReasons = 8;

    internal CqlNoHostException(string message, IReadOnlyList<CqlException> reasons)
        : base(
            reasons.Count == 0 ? message : $"{message}: {Words(reasons)}",
            reasons.Count == 0 || reasons.Any(reason => reason.IsTransient),
            reasons.Count == 0 ? null : reasons[^1]) => NotSent = true;

    internal static string Words(IReadOnlyList<CqlException> reasons)
    {
        string[] words = [.. reasons.Select(reason => reason.Message).Distinct()];
        string told = string.Join("; ", words.Take(MaxReasons));
        return words.Length > MaxReasons ? $"{told}; and {words.Length - MaxReasons} more" : told;
    }
}
