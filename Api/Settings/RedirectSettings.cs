using ClickAggregator.Settings;

namespace ClickAggregator.Api.Settings;

/// <summary><c>Redirect:*</c>: counted redirects.</summary>
internal sealed class RedirectSettings
{
    /// <summary>Shorter keys are guessed.</summary>
    public const int MinKeyCharacters = 16;

    /// <summary>Secrets: the first signs, all verify. Never printed.</summary>
    public required IReadOnlyList<string> Keys { get; init; }

    /// <summary>Exact host names to which an unsigned link may lead, by https.</summary>
    public required IReadOnlySet<string> AllowedHosts { get; init; }

    /// <summary>The request header that a trusted proxy puts the visitor's country in; null: no country.</summary>
    public required string? CountryHeader { get; init; }

    public static RedirectSettings Read(SettingReader reader)
    {
        IReadOnlyList<string> keys = reader.List("Redirect:Keys", [], 10, "secrets of 16 characters or more",
            "sign links; the first signs, all verify");
        for (int i = 0; i < keys.Count; i++)
        {
            if (keys[i].Length < MinKeyCharacters)
            {
                // the place, never the key
                reader.Fault("Redirect:Keys", $"must be secrets of at least {MinKeyCharacters} characters, and entry {i} is shorter");
            }
        }

        IReadOnlyList<string> hosts = reader.List("Redirect:AllowedHosts", [], 1_000, "exact host names",
            "unsigned links may lead only here, by https");
        foreach (string host in hosts)
        {
            if (Uri.CheckHostName(host) is not (UriHostNameType.Dns or UriHostNameType.IPv4))
            {
                reader.Fault("Redirect:AllowedHosts", $"must be exact host names without scheme, port or wildcard, and has \"{host}\"");
            }
        }

        string? header = reader.OptionalText("Redirect:CountryHeader", "a header's name", "a trusted proxy's header with the visitor's country");
        if (header is not null && !header.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            reader.Fault("Redirect:CountryHeader", "must be the name of a header: letters, digits, - and _");
        }

        return new RedirectSettings
        {
            Keys = keys,
            AllowedHosts = hosts.ToHashSet(StringComparer.OrdinalIgnoreCase),
            CountryHeader = header,
        };
    }
}
