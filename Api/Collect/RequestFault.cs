namespace ClickAggregator.Api.Collect;

/// <summary>Why a whole request is refused: what the error answer says.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">A stable code of the API's table.</param>
/// <param name="Detail">What is wrong and what to do.</param>
/// <param name="Field">The header or parameter that is at fault, if it is one.</param>
internal sealed record RequestFault(int Status, string Code, string Detail, string? Field = null)
{
    /// <summary>Seconds to wait before trying again; null where trying again does not help.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>The rest of the body is not worth reading: the connection is closed.</summary>
    public bool Close { get; init; }

    public static RequestFault Overloaded { get; } =
        new(503, "overloaded", "More clicks are on their way than fit (Limits:RequestsInFlight, Limits:BytesInFlight). Nothing was kept; send them again.")
        {
            RetryAfter = 1,
        };
}
