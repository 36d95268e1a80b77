using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace ClickAggregator.Api.Settings;

/// <summary>Settings, or why there are none.</summary>
/// <param name="Settings">Only to be used if there is no fault.</param>
/// <param name="Faults">Every fault: a setting's name and the rule that it broke.</param>
internal sealed record LoadedSettings(ApiSettings Settings, IReadOnlyList<string> Faults);

/// <summary>The one place where configuration becomes settings.</summary>
internal static class SettingsLoader
{
    public static LoadedSettings Load(IConfiguration configuration, Arguments arguments)
    {
        var reader = new SettingReader(configuration);
        ApiSettings settings = ApiSettings.Read(reader);
        List<string> faults = [.. arguments.Faults, .. reader.Faults];
        FindUnknown(configuration, reader.Rows, faults);
        FindLater(configuration, faults);
        FindOtherAddresses(configuration, faults);
        return new LoadedSettings(settings, faults.Distinct().ToArray());
    }

    private static void FindUnknown(IConfiguration configuration, IReadOnlyList<SettingRow> rows, List<string> faults)
    {
        foreach (string section in Sections.Own)
        {
            foreach ((string name, string? value) in configuration.GetSection(section).AsEnumerable())
            {
                if (value is null || rows.Any(row => row.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
                    || (row.Shape == SettingShape.List && Sections.IsItemOf(name, row.Name))
                    || (row.Shape == SettingShape.Map && Sections.IsIn(name, row.Name))))
                {
                    continue;
                }

                // An environment variable BATCH or LIMITS may be anybody's, and says nothing about us.
                if (name.Equals(section, StringComparison.OrdinalIgnoreCase) && IsFromEnvironment(configuration, name))
                {
                    continue;
                }

                faults.Add($"{name} is not a setting{Sections.Nearest(name, rows)}; --help lists them");
            }
        }
    }

    private static void FindLater(IConfiguration configuration, List<string> faults)
    {
        foreach (string section in Sections.NotYetNames)
        {
            foreach ((string name, string? value) in configuration.GetSection(section).AsEnumerable())
            {
                bool bare = name.Equals(section, StringComparison.OrdinalIgnoreCase) && IsFromEnvironment(configuration, name);
                if (value is not null && !bare && Sections.NotYet(name) is { } why)
                {
                    faults.Add(why);
                }
            }
        }
    }

    // Kestrel can also be told by other names where to listen.
    private static void FindOtherAddresses(IConfiguration configuration, List<string> faults)
    {
        foreach (IConfigurationSection endpoint in configuration.GetSection("Kestrel:Endpoints").GetChildren())
        {
            BindRule.CheckOne($"{endpoint.Path}:Url", endpoint["Url"] ?? "", (name, rule) => faults.Add($"{name} {rule}"));
        }
    }

    private static bool IsFromEnvironment(IConfiguration configuration, string name)
    {
        if (configuration is not IConfigurationRoot root)
        {
            return false;
        }

        IConfigurationProvider? last = root.Providers.LastOrDefault(provider => provider.TryGet(name, out _));
        return last is EnvironmentVariablesConfigurationProvider;
    }
}
