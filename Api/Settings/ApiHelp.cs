using ClickAggregator.Settings;

namespace ClickAggregator.Api.Settings;

/// <summary>What <c>--help</c> prints.</summary>
internal static class ApiHelp
{
    public static void Write(TextWriter output, IEnumerable<(string Name, string Summary)> commands) => SettingsHelp.Write(
        output, ApiSettings.Table(), "ClickLog:Partitions=8",
        [("Api [settings]", "starts the server"), ("Api COMMAND [options]", "runs a command; COMMAND --help describes it")],
        commands);
}
