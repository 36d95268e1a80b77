namespace ClickAggregator.Api.Settings;

/// <summary>What <c>--help</c> prints: the settings' own table.</summary>
internal static class SettingsHelp
{
    private const int Width = 30;

    public static void Write(TextWriter output, IReadOnlyList<SettingRow> table, IEnumerable<(string Name, string Summary)> commands)
    {
        output.WriteLine("Api [settings]              starts the server");
        output.WriteLine("Api COMMAND [options]       runs a command; COMMAND --help describes it");
        output.WriteLine();
        output.WriteLine("Commands:");
        foreach ((string name, string summary) in commands)
        {
            output.WriteLine($"  {name.PadRight(Width)} {summary}");
        }

        output.WriteLine();
        output.WriteLine("Settings: in appsettings.json, in the environment (ClickLog__Partitions), or here (--ClickLog:Partitions=8).");
        output.WriteLine("Sizes are written as 256 MiB, durations as 500 ms, 10 m, 24 h, 7 d; a bare number is bytes or seconds.");
        foreach (SettingRow row in table)
        {
            string name = row.Switch is null ? row.Name : $"{row.Name} ({row.Switch})";
            string unit = row.Shape == SettingShape.List ? "list, repeatable" : row.Unit;
            output.WriteLine();
            output.WriteLine($"  {name.PadRight(Width)} {row.Summary}");
            output.WriteLine($"  {"".PadRight(Width)} {unit}; default: {row.Default}; allowed: {row.Range}");
        }
    }
}
