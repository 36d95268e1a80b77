using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace ClickAggregator.Settings;

/// <summary>
/// Finds what is given and no setting: a typo in a file or in the environment would else be a default that nobody notices.
/// </summary>
public static class UnknownSettings
{
    /// <summary>A fault for each of them.</summary>
    /// <param name="configuration">All that is given.</param>
    /// <param name="rows">The program's settings.</param>
    /// <param name="names">The other names that the program knows.</param>
    public static IReadOnlyList<string> Find(IConfiguration configuration, IReadOnlyList<SettingRow> rows, ProgramNames names)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(names);
        var faults = new List<string>();
        foreach (string name in Given(configuration, names.Sections))
        {
            if (!rows.Any(row => row.Has(name)) && !names.Others.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                faults.Add($"{name} is not a setting{NearestName.Of(name, rows)}; --help lists them");
            }
        }

        faults.AddRange(Given(configuration, names.Refused.Keys).Select(names.Refuse).OfType<string>());
        return faults;
    }

    private static IEnumerable<string> Given(IConfiguration configuration, IEnumerable<string> sections) =>
        from section in sections
        from item in configuration.GetSection(section).AsEnumerable()
        where item.Value is not null && !(item.Key.Equals(section, StringComparison.OrdinalIgnoreCase) && IsFromEnvironment(configuration, item.Key))
        select item.Key;

    // An environment variable BATCH or LIMITS may be anybody's, and says nothing about us.
    private static bool IsFromEnvironment(IConfiguration configuration, string name) =>
        configuration is IConfigurationRoot root
        && root.Providers.LastOrDefault(provider => provider.TryGet(name, out _)) is EnvironmentVariablesConfigurationProvider;
}
