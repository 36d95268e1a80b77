using System.Text.Json;
using System.Text.Json.Serialization;
using ClickAggregator.Api.Problems;

namespace ClickAggregator.Api.Collect;

/// <summary>The 202 of a post of clicks.</summary>
/// <param name="Accepted">Clicks on disk, repeats included.</param>
/// <param name="Rejected">Clicks that were not taken.</param>
/// <param name="Errors">The first hundred of them.</param>
internal sealed record CollectAnswer(int Accepted, int Rejected, IReadOnlyList<ApiFault> Errors)
{
    /// <summary>Of a single click.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ClickId { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CollectAnswer))]
internal sealed partial class CollectJson : JsonSerializerContext;
