using System.Text.Json;

namespace ClickAggregator.Api.Queries;

/// <summary>The body of a query for many ids: the ids, and what a query string would say of the range.</summary>
internal static class QueryBody
{
    public const int MaxIds = 1000;
    private const string Example = """{"ids":["a-42"],"last":"20m"}""";

    /// <summary>What a body may hold besides <c>ids</c>.</summary>
    public static readonly string[] Names = [.. QueryRange.Names, .. QueryFilter.Names.Where(name => name != "group_by"), Finality.Parameter];

    /// <exception cref="QueryFaultException">It is not what it should be.</exception>
    public static Task<(IReadOnlyList<string> Ids, Dictionary<string, string> Values)> ReadAsync(QueryContext query) => JsonBody.ReadAsync(query, Example, Read);

    private static (IReadOnlyList<string> Ids, Dictionary<string, string> Values) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new QueryFaultException("malformed_json", null, "the body is a JSON object such as " + Example);
        }

        List<string>? ids = null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Name != "ids" && !Names.Contains(property.Name))
            {
                throw new QueryFaultException("unknown_parameter", property.Name, $"'{property.Name}' is not known; known are ids, {string.Join(", ", Names)}");
            }

            if (property.Name == "ids" ? ids is not null : values.ContainsKey(property.Name))
            {
                throw new QueryFaultException("invalid_parameter", property.Name, $"'{property.Name}' may be given once");
            }

            if (property.Name == "ids")
            {
                ids = Ids(property.Value);
            }
            else
            {
                values[property.Name] = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()!
                    : property.Value.ValueKind == JsonValueKind.Number && property.Name == Finality.Parameter ? property.Value.GetRawText()
                    : throw new QueryFaultException("invalid_parameter", property.Name, $"'{property.Name}' is a string");
            }
        }

        return ids is { Count: >= 1 and <= MaxIds }
            ? (ids, values)
            : throw new QueryFaultException("invalid_parameter", "ids", $"'ids' holds 1 to {MaxIds} ids");
    }

    private static List<string> Ids(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            throw new QueryFaultException("invalid_parameter", "ids", "'ids' is an array of strings");
        }

        return [.. value.EnumerateArray().Select((id, n) => id.ValueKind == JsonValueKind.String
            ? id.GetString()!
            : throw new QueryFaultException("invalid_parameter", "ids", "'ids' is an array of strings") { Index = n })];
    }
}
