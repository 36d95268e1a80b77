using System.Text.Json;
using ClickAggregator.Api.Queries;

namespace ClickAggregator.Api.Ledger;

/// <summary>The body of an order: named texts and yes-or-no, each at most once, and none that is not known.</summary>
internal sealed class OrderBody
{
    private readonly Dictionary<string, string?> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _flags = new(StringComparer.Ordinal);

    private OrderBody()
    {
    }

    /// <param name="query">The request.</param>
    /// <param name="example">A body that is right.</param>
    /// <param name="texts">Names of texts.</param>
    /// <param name="flags">Names of what is true or false.</param>
    /// <exception cref="QueryFaultException">It is not what it should be.</exception>
    public static Task<OrderBody> ReadAsync(QueryContext query, string example, string[] texts, string[] flags) =>
        JsonBody.ReadAsync(query, example, root => Read(root, example, texts, flags));

    /// <summary>A text; null where it is absent or null.</summary>
    public string? Text(string name) => _texts.GetValueOrDefault(name);

    /// <exception cref="QueryFaultException">It is absent.</exception>
    public string Required(string name) => Text(name) ?? throw new QueryFaultException("invalid_parameter", name, $"'{name}' is needed");

    /// <summary>False where it is absent.</summary>
    public bool Flag(string name) => _flags.GetValueOrDefault(name);

    private static OrderBody Read(JsonElement root, string example, string[] texts, string[] flags)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new QueryFaultException("malformed_json", null, "the body is a JSON object such as " + example);
        }

        var body = new OrderBody();
        foreach (JsonProperty property in root.EnumerateObject())
        {
            string name = property.Name;
            if (body._texts.ContainsKey(name) || body._flags.ContainsKey(name))
            {
                throw new QueryFaultException("invalid_parameter", name, $"'{name}' may be given once");
            }

            if (texts.Contains(name))
            {
                body._texts[name] = property.Value.ValueKind switch
                {
                    JsonValueKind.String => property.Value.GetString(),
                    JsonValueKind.Null => null,
                    _ => throw new QueryFaultException("invalid_parameter", name, $"'{name}' is a string"),
                };
            }
            else if (flags.Contains(name))
            {
                body._flags[name] = property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False
                    ? property.Value.GetBoolean()
                    : throw new QueryFaultException("invalid_parameter", name, $"'{name}' is true or false");
            }
            else
            {
                throw new QueryFaultException("unknown_parameter", name, $"'{name}' is not known; known are {string.Join(", ", texts.Concat(flags))}");
            }
        }

        return body;
    }
}
