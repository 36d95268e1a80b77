using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClickAggregator.Api.Verify;

/// <summary>Page URLs and referrers by the rules of Clicks/README.md, said in regular expressions.</summary>
internal static partial class RecountedUrl
{
    private const int MostUrlBytes = 2048;
    private const int MostUserBytes = 512;
    private const int MostHostBytes = 253;

    /// <summary>The id of the page that a <c>page_url</c> names; null where it names none.</summary>
    public static string? PageId(JsonElement url)
    {
        if (url.ValueKind != JsonValueKind.String || Text(url) is not { } text || PageUrl().Match(text) is not { Success: true } match
            || Host(match.Groups["authority"].Value) is not var (host, port))
        {
            return null;
        }

        string scheme = match.Groups["scheme"].Value.ToLowerInvariant();
        if (port.Length > 0)
        {
            if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) || number == 0)
            {
                return null;
            }

            port = number == (scheme == "https" ? 443 : 80) ? "" : string.Create(CultureInfo.InvariantCulture, $":{number}");
        }

        string path = match.Groups["path"].Value;
        byte[] normalised = Encoding.UTF8.GetBytes($"{scheme}://{host}{port}{(path.Length == 0 ? "/" : path)}");
        return normalised.Length > MostUrlBytes || Breaks().IsMatch(path)
            ? null
            : "p-" + Base64Url.EncodeToString(SHA256.HashData(normalised))[..22];
    }

    /// <summary>Whether a referrer has a host that can be kept.</summary>
    public static bool IsReferrer(string referrer)
    {
        if (Encoding.UTF8.GetByteCount(referrer) > MostUrlBytes)
        {
            return false;
        }

        return Host(Referrer().Match(referrer).Groups["authority"].Value) is not null;
    }

    // Where there are escapes only what stands before the query has to fit, and no more than that is looked at.
    private static string? Text(JsonElement url)
    {
        string raw = url.GetRawText()[1..^1];
        if (!raw.Contains('\\', StringComparison.Ordinal))
        {
            return raw;
        }

        int end = raw.AsSpan().IndexOfAny('?', '#');
        string text = JsonSerializer.Deserialize<string>('"' + (end < 0 ? raw : raw[..end]) + '"')!;
        return Encoding.UTF8.GetByteCount(text) <= MostUrlBytes + MostUserBytes ? text : null;
    }

    private static (string Host, string Port)? Host(string authority)
    {
        int user = authority.LastIndexOf('@');
        if (user >= 0 && authority.Contains('\\', StringComparison.Ordinal))
        {
            return null;
        }

        Match match = HostAndPort().Match(authority[(user + 1)..]);
        string host = match.Groups["host"].Value;
        host = host.Length > 1 && host.EndsWith('.') ? host[..^1] : host;
        return match.Success && host.Length <= MostHostBytes && (Name().IsMatch(host) || Address().IsMatch(host))
            ? (host.ToLowerInvariant(), match.Groups["port"].Value)
            : null;
    }

    [GeneratedRegex(@"\A(?<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?<authority>[^/?#]*)(?<path>[^?#]*)", RegexOptions.ExplicitCapture)]
    private static partial Regex PageUrl();

    [GeneratedRegex(@"\A([A-Za-z0-9+.-]+://|//)?(?<authority>[^/?#]*)", RegexOptions.ExplicitCapture)]
    private static partial Regex Referrer();

    [GeneratedRegex(@"\A(?<host>\[[^\]]*\]|[^:\[]*)(:(?<port>[0-9]{0,5}))?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex HostAndPort();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Name();

    [GeneratedRegex(@"\A\[[0-9A-Fa-f:.]+\]\z")]
    private static partial Regex Address();

    [GeneratedRegex(@"[\x00-\x20\x7f]")]
    private static partial Regex Breaks();
}
