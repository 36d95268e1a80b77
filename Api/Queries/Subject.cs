using System.Text.Json;
using ClickAggregator.Clicks;

namespace ClickAggregator.Api.Queries;

/// <summary>What a question is about: all clicks, a kind, one target or one campaign.</summary>
/// <param name="Base">The rollup's base.</param>
/// <param name="KindName"><c>ad</c> … or <c>campaign</c>; null for all clicks.</param>
/// <param name="Id">The target's or campaign's id; null for all of a kind.</param>
/// <param name="Series">The series that holds it.</param>
internal sealed record Subject(RollupBase Base, string? KindName, string? Id, string Series)
{
    public const string IdRule = "an id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ : -, not . or ..";

    public static Subject Total { get; } = new(RollupBase.Total, null, null, "total");

    /// <summary>All campaigns together: no series holds their sum.</summary>
    public static Subject Campaigns { get; } = new(RollupBase.Campaign, "campaign", null, "campaign:");

    public static Subject OfKind(string kind) => new(RollupBase.Kind, kind, null, "kind:" + kind);

    /// <exception cref="QueryFaultException">The id cannot be one.</exception>
    public static Subject One(string kind, string id) => IdRules.IsId(id)
        ? new(kind == "campaign" ? RollupBase.Campaign : RollupBase.Target, kind, id, kind + ":" + id)
        : throw new QueryFaultException("invalid_parameter", "id", IdRule);

    public void Write(Utf8JsonWriter json, QueryFilter filter)
    {
        json.WriteStartObject("of");
        json.WriteString("kind", KindName ?? "total");
        if (Id is not null)
        {
            json.WriteString("id", Id);
        }

        json.WriteEndObject();
        json.WriteStartObject("filter");
        if (filter.Country is not null)
        {
            json.WriteString("country", filter.Country);
        }

        if (filter.Device is not null)
        {
            json.WriteString("device", filter.Device);
        }

        json.WriteEndObject();
    }
}
