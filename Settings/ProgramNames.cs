namespace ClickAggregator.Settings;

/// <summary>
/// The names that a program knows beside its settings: without them a typo and a setting of somebody else look alike.
/// </summary>
public sealed record ProgramNames
{
    /// <summary>Top-level sections of which nobody else has settings: what is unknown in them is a typo.</summary>
    public required IReadOnlyList<string> Sections { get; init; }

    /// <summary>Settings in those sections that only other programs read: programs may share an environment.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    /// <summary>Sections that are refused, and why: the text follows the setting's name.</summary>
    public IReadOnlyDictionary<string, string> Refused { get; init; } = new Dictionary<string, string>();

    /// <summary>Names that a framework reads by itself.</summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>Sections that a framework or the logging reads by itself.</summary>
    public IReadOnlyList<string> HostSections { get; init; } = ["Logging"];

    /// <summary>A prefix of environment variables that are read too, below those without one.</summary>
    public string? EnvironmentPrefix { get; init; }

    /// <summary>Why this name is refused; null where it is not.</summary>
    internal string? Refuse(string name)
    {
        foreach ((string section, string why) in Refused)
        {
            if (IsInSection(name, section))
            {
                return $"{name} {why}";
            }
        }

        return null;
    }

    internal bool IsHosts(string name) =>
        HostNames.Contains(name, StringComparer.OrdinalIgnoreCase)
        || HostSections.Any(section => name.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase));

    private static bool IsInSection(string name, string section) =>
        name.Equals(section, StringComparison.OrdinalIgnoreCase) || name.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase);
}
