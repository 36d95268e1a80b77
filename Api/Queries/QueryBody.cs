using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace ClickAggregator.Api.Queries;

/// <summary>The body of a query for many ids: the ids, and what a query string would say of the range.</summary>
internal static class QueryBody
{
    public const int MaxIds = 1000;
    private const int MaxBytes = 256 * 1024;

    /// <summary>What a body may hold besides <c>ids</c>.</summary>
    public static readonly string[] Names = [.. QueryRange.Names, .. QueryFilter.Names.Where(name => name != "group_by")];

    /// <exception cref="QueryFaultException">It is not what it should be.</exception>
    public static async Task<(IReadOnlyList<string> Ids, Dictionary<string, string> Values)> ReadAsync(QueryContext query)
    {
        RequireJson(query.Http.Request);
        using MemoryStream body = await BytesAsync(query);
        try
        {
            using var json = JsonDocument.Parse(WithoutMark(body.GetBuffer().AsMemory(0, (int)body.Length)));
            return Read(json.RootElement);
        }
        catch (JsonException error)
        {
            throw new QueryFaultException("malformed_json", null, "the body is not valid JSON: " + error.Message);
        }
        catch (InvalidOperationException)
        {
            // A text is decoded when it is asked for.
            throw new QueryFaultException("malformed_json", null, "the body is not valid JSON: a text in it is not Unicode");
        }
    }

    private static (IReadOnlyList<string> Ids, Dictionary<string, string> Values) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new QueryFaultException("malformed_json", null, "the body is a JSON object such as {\"ids\":[\"a-42\"],\"last\":\"20m\"}");
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
                values[property.Name] = property.Value.ValueKind == JsonValueKind.String
                    ? property.Value.GetString()!
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

    // Editors put it in front of files; a post of clicks may have it, too.
    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> text) => text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text;

    private static void RequireJson(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || request.Headers.ContentEncoding.Count > 0)
        {
            throw new QueryFaultException(
                "unsupported_media_type", null,
                $"The Content-Type must be application/json, not compressed: curl -X POST {request.Scheme}://{request.Host}{request.Path} -H \"Content-Type: application/json\" -d '{{\"ids\":[\"a-42\"],\"last\":\"20m\"}}'")
            { Status = 415 };
        }
    }

    private static async Task<MemoryStream> BytesAsync(QueryContext query)
    {
        var bytes = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        int got = 0;
        while (query.Http.Request.ContentLength is null or <= MaxBytes
            && (got = await query.Http.Request.Body.ReadAsync(buffer, query.Cancelled)) > 0 && bytes.Length + got <= MaxBytes)
        {
            bytes.Write(buffer, 0, got);
        }

        return query.Http.Request.ContentLength > MaxBytes || got > 0
            ? throw new QueryFaultException("body_too_large", null, $"the body of a query is at most {MaxBytes / 1024} KiB") { Status = 413 }
            : bytes;
    }
}
