namespace ClickAggregator.Api.Hosts;

/// <summary>
/// Which Host headers are answered while there is no key. A page of another site can make its own name resolve to
/// 127.0.0.1 and read a developer's counts; the browser then still sends that site's name.
/// </summary>
internal static class HostRule
{
    /// <param name="host">The Host header: a name and maybe a port.</param>
    public static bool IsAllowed(string? host)
    {
        if (string.IsNullOrEmpty(host))
        {
            return false;
        }

        ReadOnlySpan<char> name = host;
        int end = name[0] == '[' ? name.IndexOf(']') + 1 : name.IndexOf(':');
        if (end > 0)
        {
            ReadOnlySpan<char> port = name[end..];
            name = name[..end];
            if (!port.IsEmpty && (port[0] != ':' || !IsPort(port[1..])))
            {
                return false;
            }
        }

        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name is "127.0.0.1" || name is "[::1]";
    }

    private static bool IsPort(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= 5 && !text.ContainsAnyExceptInRange('0', '9');
}
