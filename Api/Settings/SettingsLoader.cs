using ClickAggregator.Settings;

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
        List<string> faults = [.. arguments.Faults, .. reader.Faults, .. UnknownSettings.Find(configuration, reader.Rows, Sections.Names)];
        FindOtherAddresses(configuration, faults);
        return new LoadedSettings(settings, faults.Distinct().ToArray());
    }

    // Kestrel can also be told by other names where to listen.
    private static void FindOtherAddresses(IConfiguration configuration, List<string> faults)
    {
        foreach ((string name, string url) in BindRule.Endpoints(configuration))
        {
            BindRule.CheckOne(name, url, (setting, rule) => faults.Add($"{setting} {rule}"));
        }
    }
}
