using ClickAggregator.Api.Problems;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Collect;

/// <summary>One click that was not taken. The words are made only if the answer shows them.</summary>
/// <param name="Index">Which item, from 0.</param>
/// <param name="Code">A stable code of the API's table.</param>
/// <param name="Error">What the parser said; null where the click was too long to be parsed.</param>
/// <param name="Limit">The limit that the click broke, where it was too long.</param>
internal readonly record struct Rejection(int Index, string Code, ClickError? Error, int Limit)
{
    public ApiFault ToFault() => new(Index, Error?.Field, Code,
        Error?.Message ?? $"A click may have {Limit} bytes (Limits:LineBytes).");
}
