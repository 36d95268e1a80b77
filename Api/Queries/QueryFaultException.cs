namespace ClickAggregator.Api.Queries;

/// <summary>A query that cannot be answered as asked: what is wrong, where, and what is allowed.</summary>
internal sealed class QueryFaultException(string code, string? field, string message) : Exception(message)
{
    public string Code { get; } = code;

    public string? Field { get; } = field;

    /// <summary>Which id of many; null where the fault is not of one.</summary>
    public int? Index { get; init; }

    public int Status { get; init; } = 400;

    /// <summary>After how many seconds the same may be asked again; null for nothing to say.</summary>
    public int? RetryAfter { get; init; }
}
