using ClickAggregator.Clicks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ClickAggregator.Api.Collect;

/// <summary>What the headers of a post of clicks say, checked before a byte of its body is read.</summary>
internal readonly struct RequestForm
{
    // leaves room in an id for the index
    private const int MaxKey = 100;

    private static readonly RequestFault WrongKey = new(400, "invalid_parameter",
        "Idempotency-Key must be given once and have 1-100 characters of A-Z a-z 0-9 . _ ~ : -", "Idempotency-Key")
    { Close = true };

    private RequestForm(bool lines, bool gzip, string? key)
    {
        Lines = lines;
        Gzip = gzip;
        Key = key;
    }

    /// <summary>NDJSON; else one object or an array.</summary>
    public bool Lines { get; }

    public bool Gzip { get; }

    /// <summary>The <c>Idempotency-Key</c>: what assigned click ids begin with.</summary>
    public string? Key { get; }

    /// <param name="request">Its headers are read.</param>
    /// <param name="mayBeText">Whether text/plain is JSON: what a page sends when it is left (sendBeacon) is called so, lest
    /// the browser ask for leave first.</param>
    /// <param name="form">What they say.</param>
    public static RequestFault? TryRead(HttpRequest request, bool mayBeText, out RequestForm form)
    {
        form = default;
        if (!TryType(request.ContentType, mayBeText, out bool lines))
        {
            return Unsupported(request, "The Content-Type must be application/json or application/x-ndjson, in UTF-8.");
        }

        StringValues encoding = request.Headers.ContentEncoding;
        bool gzip = encoding.Count == 1 && encoding[0]!.Equals("gzip", StringComparison.OrdinalIgnoreCase);
        if (!gzip && encoding.Count > 0 && !encoding.ToString().Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return Unsupported(request, "The Content-Encoding may only be gzip.");
        }

        string? key = null;
        if (request.Headers.TryGetValue("Idempotency-Key", out StringValues keys))
        {
            key = keys.ToString();
            if (keys.Count != 1 || key.Length > MaxKey || !IdRules.IsId(key))
            {
                return WrongKey;
            }
        }

        form = new RequestForm(lines, gzip, key);
        return null;
    }

    // The commands are ones that can be pasted: they name the address that this request came to.
    private static RequestFault Unsupported(HttpRequest request, string rule)
    {
        string url = $"{request.Scheme}://{request.Host}/v1/clicks";
        return new RequestFault(415, "unsupported_media_type",
            $"{rule} One click: curl -X POST {url} -H \"Content-Type: application/json\" -d '{{\"ad_id\":\"a-42\"}}'. "
            + $"Many, one a line: curl -X POST {url} -H \"Content-Type: application/x-ndjson\" --data-binary @clicks.ndjson")
        {
            Close = true,
        };
    }

    private static bool TryType(string? type, bool mayBeText, out bool lines)
    {
        // the two forms that clients really send, without parsing
        lines = type == "application/x-ndjson";
        if (lines || type == "application/json")
        {
            return true;
        }

        if (!MediaTypeHeaderValue.TryParse(type, out MediaTypeHeaderValue? parsed)
            || (parsed.Charset.HasValue && !parsed.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
                && !parsed.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase)))
        {
            return false;
        }

        lines = parsed.MediaType.Equals("application/x-ndjson", StringComparison.OrdinalIgnoreCase);
        return lines || parsed.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (mayBeText && parsed.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase));
    }
}
