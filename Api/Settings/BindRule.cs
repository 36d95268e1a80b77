using System.Net;
using ClickAggregator.Settings;

namespace ClickAggregator.Api.Settings;

/// <summary>
/// Without keys anybody who reaches the port may read and write, so the program then listens only on this machine's loopback
/// addresses.
/// </summary>
internal static class BindRule
{
    public const string DefaultUrls = "http://localhost:5080";

    /// <summary>The addresses that other machines could reach, by the setting that has them.</summary>
    public static IReadOnlyList<(string Name, string Url)> Exposed(ApiSettings settings, IConfiguration configuration)
    {
        // Kestrel can also be told by other names where to listen, and then forgets urls.
        IEnumerable<(string Name, string Url)> addresses =
        [
            .. Addresses(settings.Urls).Select(url => ("urls", url)),
            .. Endpoints(configuration),
        ];
        return [.. addresses.Where(address => TryHost(address.Url, out string host) && !IsLoopback(host))];
    }

    /// <summary>Endpoints of the web server's own settings.</summary>
    public static IEnumerable<(string Name, string Url)> Endpoints(IConfiguration configuration) =>
        configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => ($"{endpoint.Path}:Url", endpoint["Url"] ?? ""));

    /// <summary>Notes a fault for each that is no address.</summary>
    public static void Check(string urls, SettingReader reader)
    {
        string[] addresses = Addresses(urls);
        if (addresses.Length == 0)
        {
            // Else the web server would take an address of its own.
            CheckOne("urls", urls, reader.Fault);
        }

        foreach (string url in addresses)
        {
            CheckOne("urls", url, reader.Fault);
        }
    }

    public static void CheckOne(string name, string url, Action<string, string> fault)
    {
        if (!TryHost(url, out string host))
        {
            fault(name, $"must be addresses such as {DefaultUrls}, divided by \";\", and has \"{url}\"");
        }
        else if (HasPath(host, url))
        {
            fault(name, $"must be addresses without a path, and has \"{url}\"");
        }
        else if (IsLocalhostWithAnyPort(host, url))
        {
            fault(name, "must name a port with localhost; for any free port use http://127.0.0.1:0");
        }
    }

    private static string[] Addresses(string urls) => urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // Kestrel refuses it, too, but only when half of the program has started.
    private static bool HasPath(string host, string url) =>
        !host.StartsWith("unix:", StringComparison.Ordinal) && url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..].TrimEnd('/').Contains('/', StringComparison.Ordinal);

    // Kestrel refuses it, since localhost is two addresses: said here with all other faults.
    private static bool IsLocalhostWithAnyPort(string host, string url) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) && url.TrimEnd('/').EndsWith(":0", StringComparison.Ordinal);

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.StartsWith("unix:", StringComparison.Ordinal)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    // Kestrel takes http://*:80 and http://+:80, which are no URIs: the host is cut out by hand.
    private static bool TryHost(string url, out string host)
    {
        host = "";
        int scheme = url.IndexOf("://", StringComparison.Ordinal);
        if (scheme <= 0 || url[..scheme].ToUpperInvariant() is not ("HTTP" or "HTTPS"))
        {
            return false;
        }

        string rest = url[(scheme + 3)..];
        if (rest.StartsWith("unix:", StringComparison.Ordinal))
        {
            host = rest;
            return true;
        }

        rest = rest.Split('/', 2)[0];
        int end = rest.StartsWith('[') ? rest.IndexOf(']', StringComparison.Ordinal) + 1 : rest.IndexOf(':', StringComparison.Ordinal);
        host = end < 0 ? rest : rest[..end];
        string port = rest[host.Length..];
        return host.Length > 0 && (port.Length == 0 || (port[0] == ':' && ushort.TryParse(port[1..], out _)));
    }
}
