using System.Text;
using ClickAggregator.Api.Collect;
using Microsoft.Extensions.Primitives;

namespace ClickAggregator.Api.Keys;

/// <summary>Decides whether a request may have what it asks for, by its headers alone: before a byte of its body is read.</summary>
internal sealed class KeyGuard(KeyRing ring)
{
    /// <summary>Where a page that can set no header gives its public key.</summary>
    public const string Parameter = "key";

    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";

    // One answer for a key that is missing, mistyped, unknown or revoked: it must not say which.
    private static readonly RequestFault s_invalid = new(401, "key_invalid",
        "This needs a key that is valid here: Authorization: Bearer KEY. The command keys add makes one.");

    // Whether it is valid nobody can tell: a 401 would make a sender give up who has a good one.
    private static readonly RequestFault s_unknown = new(503, "keys_unavailable",
        "Keys cannot be read here since this process started, so this one may be good or not. Nothing was kept; send it again.")
    {
        RetryAfter = 2,
    };

    private static readonly RequestFault s_secretInAddress = new(401, "key_invalid",
        "Only a public key (pk_...) may stand in an address; send any other as Authorization: Bearer KEY, and make a new one if it was seen.");

    private static readonly RequestFault s_origin = new(403, "origin_not_allowed",
        "A public key is good only from the pages of its origins: the Origin header must be one of them.");

    private static readonly Dictionary<KeyScope, RequestFault> s_scope = new[] { KeyScope.Ingest, KeyScope.Read, KeyScope.Admin }.ToDictionary(
        scope => scope, scope => new RequestFault(403, "scope_missing", $"This needs a key with the scope {KeyScopes.Text(scope)}, which this key does not have."));

    /// <summary>Whether keys are in use.</summary>
    public bool IsOpen => ring.Current.IsOpen;

    /// <returns>Why it may not; null where it may.</returns>
    public RequestFault? Check(HttpContext context, NeededScope needed)
    {
        KeySet keys = ring.Current;
        if (needed.Scope == KeyScope.None || keys.IsOpen)
        {
            return null;
        }

        HttpRequest request = context.Request;
        ApiKey? key;
        StringValues header = request.Headers.Authorization;
        if (header.Count == 0 && needed.Scope == KeyScope.Ingest && request.QueryString.HasValue && request.Query.TryGetValue(Parameter, out StringValues given))
        {
            string text = given.ToString();
            if (text.StartsWith(KeySecret.SecretPrefix, StringComparison.Ordinal))
            {
                return s_secretInAddress;
            }

            key = text.StartsWith(KeySecret.PublicPrefix, StringComparison.Ordinal) ? keys.Find(text) : null;
        }
        else
        {
            key = header.Count == 1 && header[0] is { } value ? Find(keys, value, needed.AsPassword) : null;
        }

        if (key is null)
        {
            return keys.AreAll ? s_invalid : s_unknown;
        }

        if ((key.Scopes & needed.Scope) == 0)
        {
            return s_scope[needed.Scope];
        }

        if (needed.Scope == KeyScope.Admin)
        {
            context.Features.Set(new Caller(key.Name)); // what changes numbers that are final says who asked
        }

        if (!key.IsPublic)
        {
            return null;
        }

        if (!key.Origins.Contains(request.Headers.Origin.ToString(), StringComparer.Ordinal))
        {
            return s_origin;
        }

        context.Features.Set(PublicCaller.Instance);
        return null;
    }

    private static ApiKey? Find(KeySet keys, string header, bool asPassword)
    {
        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return keys.Find(header.AsSpan(Bearer.Length).Trim());
        }

        if (!asPassword || !header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        // base64(user:password); whatever the user is.
        byte[] pair = new byte[header.Length];
        return Convert.TryFromBase64String(header[Basic.Length..], pair, out int length) && pair.AsSpan(0, length).IndexOf((byte)':') is >= 0 and int colon
            ? keys.Find(Encoding.Latin1.GetString(pair.AsSpan(0, length)[(colon + 1)..]))
            : null;
    }
}

/// <summary>Says of a request to run things whose key it came with.</summary>
internal sealed record Caller(string Name);

/// <summary>Says of a request that it came with a public key: from a page, which may be able to send no more than text.</summary>
internal sealed class PublicCaller
{
    public static readonly PublicCaller Instance = new();

    private PublicCaller()
    {
    }
}
