using ClickAggregator.Api.Settings;
using ClickAggregator.Settings;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Deploy.Tests;

/// <summary>What the programs would say of an environment: names that are no settings, and values that are none.</summary>
internal static class Faults
{
    public static IReadOnlyList<string> OfSilo(IEnumerable<KeyValuePair<string, string>> environment)
    {
        IConfiguration configuration = Configuration(environment);
        var reader = new SettingReader(configuration);
        _ = SiloSettings.Read(reader);
        return [.. reader.Faults, .. UnknownSettings.Find(configuration, reader.Rows, SiloSettings.Names)];
    }

    public static IReadOnlyList<string> OfApi(IEnumerable<KeyValuePair<string, string>> environment) =>
        SettingsLoader.Load(Configuration(environment), Arguments.Parse([], ApiSettings.Table(), Sections.Names)).Faults;

    /// <summary>Neither program knows it, and so neither would say that it is wrong: a typo in a section's name.</summary>
    public static IReadOnlyList<string> UnknownToBoth(IEnumerable<KeyValuePair<string, string>> environment)
    {
        string[] sections = [.. SiloSettings.Names.Sections, .. Sections.Names.Sections];
        return [.. environment.Select(variable => variable.Key).Where(name => name.Contains("__", StringComparison.Ordinal)
            && !sections.Contains(name.Split("__")[0], StringComparer.OrdinalIgnoreCase))];
    }

    private static IConfigurationRoot Configuration(IEnumerable<KeyValuePair<string, string>> environment) => new ConfigurationBuilder()
        .AddInMemoryCollection(environment.Select(variable =>
            KeyValuePair.Create(variable.Key.Replace("__", ":", StringComparison.Ordinal).Replace("ASPNETCORE_", "", StringComparison.Ordinal), (string?)variable.Value)))
        .Build();
}
