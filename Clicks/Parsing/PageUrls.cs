using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ClickAggregator.Clicks;

/// <summary>Normalises page URLs, and names them.</summary>
internal static class PageUrls
{
    /// <summary><c>p-</c> and 22 characters.</summary>
    public const int IdBytes = 24;

    /// <summary>How much of an escaped page_url is looked at: a normalised URL, and a user name that is dropped.</summary>
    public const int MaxUnescaped = ClickRecord.MaxPageUrlBytes + 512;

    private static readonly SearchValues<byte> s_pathEnds = SearchValues.Create("?#"u8);

    /// <summary>
    /// Scheme and host in lower case, without user name, default port, query and fragment; the path as it is, <c>/</c>
    /// where there is none.
    /// </summary>
    public static bool TryNormalise(ReadOnlySpan<byte> url, scoped ref Scratch scratch, out ReadOnlySpan<byte> normalised)
    {
        normalised = default;
        if (!TryScheme(url, out ReadOnlySpan<byte> scheme, out ReadOnlySpan<byte> defaultPort))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = url[scheme.Length..];
        if (!Hosts.TryAuthority(ref rest, ref scratch, out ReadOnlySpan<byte> host, out ReadOnlySpan<byte> port))
        {
            return false;
        }

        if (rest.IndexOfAny(s_pathEnds) is int end and >= 0)
        {
            rest = rest[..end];
        }

        // A browser escapes these in a path; here they only break lines of whatever shows the URL.
        if (rest.ContainsAnyInRange((byte)0, (byte)' ') || rest.Contains((byte)0x7f))
        {
            return false;
        }

        port = port.TrimStart((byte)'0');
        if (port.SequenceEqual(defaultPort))
        {
            port = default;
        }

        ReadOnlySpan<byte> path = rest.IsEmpty ? "/"u8 : rest;
        int length = scheme.Length + host.Length + (port.IsEmpty ? 0 : 1 + port.Length) + path.Length;
        if (length > ClickRecord.MaxPageUrlBytes)
        {
            return false;
        }

        Span<byte> result = scratch.Take(length);
        scheme.CopyTo(result);
        int at = scheme.Length;
        host.CopyTo(result[at..]);
        at += host.Length;
        if (!port.IsEmpty)
        {
            result[at++] = (byte)':';
            port.CopyTo(result[at..]);
            at += port.Length;
        }

        path.CopyTo(result[at..]);
        normalised = result;
        return true;
    }

    /// <summary><c>p-</c> and the first 22 characters (132 bits) of the base64url of the URL's SHA-256.</summary>
    public static ReadOnlySpan<byte> Id(scoped ReadOnlySpan<byte> normalised, scoped ref Scratch scratch)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(normalised, hash);
        Span<byte> text = stackalloc byte[44];
        Base64Url.EncodeToUtf8(hash, text);
        Span<byte> id = scratch.Take(IdBytes);
        "p-"u8.CopyTo(id);
        text[..(IdBytes - 2)].CopyTo(id[2..]);
        return id;
    }

    private static bool TryScheme(ReadOnlySpan<byte> url, out ReadOnlySpan<byte> scheme, out ReadOnlySpan<byte> defaultPort)
    {
        bool https = url.Length >= 8 && Ascii.EqualsIgnoreCase(url[..8], "https://"u8);
        bool http = url.Length >= 7 && Ascii.EqualsIgnoreCase(url[..7], "http://"u8);
        scheme = https ? "https://"u8 : "http://"u8;
        defaultPort = https ? "443"u8 : "80"u8;
        return https || http;
    }
}
