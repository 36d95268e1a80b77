using System.Globalization;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace ClickAggregator.Api.Queries;

/// <summary>The body of a question or an order: one JSON object, of a size that is bounded.</summary>
internal static class JsonBody
{
    private const int MaxBytes = 256 * 1024;

    /// <param name="query">The request.</param>
    /// <param name="example">A body that is right, for whoever sent another.</param>
    /// <param name="read">Reads it, or throws a <see cref="QueryFaultException"/>.</param>
    /// <exception cref="QueryFaultException">It is no JSON, too large, or of another type.</exception>
    public static async Task<T> ReadAsync<T>(QueryContext query, string example, Func<JsonElement, T> read)
    {
        RequireJson(query.Http.Request, example);
        using MemoryStream body = await BytesAsync(query);
        ReadOnlyMemory<byte> text = body.GetBuffer().AsMemory(0, (int)body.Length);
        try
        {
            using var json = JsonDocument.Parse(WithoutMark(text));
            return read(json.RootElement);
        }
        catch (JsonException error)
        {
            throw new QueryFaultException("malformed_json", null, Where(text, error) + $"; it is to be a JSON object such as {example}");
        }
        catch (InvalidOperationException)
        {
            // A text is decoded when it is asked for.
            throw new QueryFaultException("malformed_json", null, "the body is not valid JSON: a text in it is not Unicode");
        }
    }

    // Editors put it in front of files; a post of clicks may have it, too.
    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> text) => text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text;

    /// <summary>Where the body stops being JSON: the byte, the first of the body being 0.</summary>
    private static string Where(ReadOnlyMemory<byte> body, JsonException error)
    {
        ReadOnlySpan<byte> text = WithoutMark(body).Span;
        int line = 0;
        for (long n = error.LineNumber ?? 0; n > 0; n--)
        {
            line += text[line..].IndexOf((byte)'\n') + 1;
        }

        long at = line + (error.BytePositionInLine ?? 0);
        return text.IndexOfAnyExcept(" \t\r\n"u8) < 0 ? "the body is empty"
            : at >= text.Length ? string.Create(CultureInfo.InvariantCulture, $"the body ends at byte {body.Length}, before its JSON does")
            : string.Create(CultureInfo.InvariantCulture, $"the body cannot be read as JSON at byte {body.Length - text.Length + at}");
    }

    private static void RequireJson(HttpRequest request, string example)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || request.Headers.ContentEncoding.Count > 0)
        {
            throw new QueryFaultException(
                "unsupported_media_type", null,
                $"The Content-Type must be application/json, not compressed: curl -X POST {request.Scheme}://{request.Host}{request.Path} -H \"Content-Type: application/json\" -d '{example}'")
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
