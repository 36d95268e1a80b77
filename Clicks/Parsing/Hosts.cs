using System.Buffers;
using System.Text;

namespace ClickAggregator.Clicks;

/// <summary>Host names inside referrers and page URLs.</summary>
internal static class Hosts
{
    private static readonly SearchValues<byte> s_plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-_"u8);
    private static readonly SearchValues<byte> s_any =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"u8);
    private static readonly SearchValues<byte> s_inBrackets = SearchValues.Create("0123456789abcdefABCDEF:."u8);
    private static readonly SearchValues<byte> s_authorityEnds = SearchValues.Create("/?#"u8);
    private static readonly SearchValues<byte> s_schemeChars =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-"u8);

    /// <summary>
    /// The host of a referrer, which is a URL of any scheme (<c>https://News.example:8080/a?b</c>,
    /// <c>android-app://com.example/</c>, <c>//t.co/x</c>) or begins with a bare host (<c>t.co</c>, <c>direct</c>).
    /// </summary>
    public static bool TryReferrer(ReadOnlySpan<byte> referrer, scoped ref Scratch scratch, out ReadOnlySpan<byte> host)
    {
        // What most producers send is the bare host already.
        if (referrer.Length <= ClickRecord.MaxReferrerBytes && !referrer.ContainsAnyExcept(s_plain) && HasLabels(referrer))
        {
            host = referrer;
            return true;
        }

        ReadOnlySpan<byte> rest = referrer;
        int scheme = rest.IndexOf("://"u8);
        if (scheme > 0 && !rest[..scheme].ContainsAnyExcept(s_schemeChars))
        {
            rest = rest[(scheme + 3)..];
        }
        else if (rest.StartsWith("//"u8))
        {
            rest = rest[2..];
        }

        return TryAuthority(ref rest, ref scratch, out host, out _);
    }

    /// <summary>
    /// Takes the authority (<c>user@Host:port</c>) off the front: the host in lower case without a last dot, and the
    /// port, empty where there is none. A user name is dropped: it may be a secret.
    /// </summary>
    public static bool TryAuthority(
        scoped ref ReadOnlySpan<byte> rest, scoped ref Scratch scratch, out ReadOnlySpan<byte> host, out ReadOnlySpan<byte> port)
    {
        int end = rest.IndexOfAny(s_authorityEnds);
        host = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[end..];
        host = host[(host.LastIndexOf((byte)'@') + 1)..];
        port = default;

        int bracket = !host.IsEmpty && host[0] == (byte)'[' ? host.IndexOf((byte)']') : -1;
        int colon = bracket < 0 ? host.IndexOf((byte)':') : bracket + 1 < host.Length ? bracket + 1 : -1;
        if (colon >= 0)
        {
            port = host[(colon + 1)..];
            if (host[colon] != (byte)':' || port.Length > 5 || port.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                return false;
            }

            host = host[..colon];
        }

        if (host.Length > 1 && host[^1] == (byte)'.')
        {
            host = host[..^1];
        }

        bool valid = bracket > 0
            ? bracket > 2 && !host[1..^1].ContainsAnyExcept(s_inBrackets)
            : !host.ContainsAnyExcept(s_any) && HasLabels(host);
        if (!valid || host.Length > ClickRecord.MaxReferrerBytes)
        {
            return false;
        }

        Span<byte> lower = scratch.Take(host.Length);
        Ascii.ToLower(host, lower, out _);
        host = lower;
        return true;
    }

    private static bool HasLabels(ReadOnlySpan<byte> host) =>
        !host.IsEmpty && host[0] != (byte)'.' && host[^1] != (byte)'.' && host.IndexOf(".."u8) < 0;
}
