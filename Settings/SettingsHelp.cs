namespace ClickAggregator.Settings;

/// <summary>What <c>--help</c> prints: the settings' own table.</summary>
public static class SettingsHelp
{
    private const int Width = 30;

    /// <summary>Writes what a program is called with, and its settings.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="table">The settings.</param>
    /// <param name="example">A setting as it is given on the command line.</param>
    /// <param name="usage">How the program is called: a line and what it does.</param>
    /// <param name="commands">Its commands.</param>
    public static void Write(
        TextWriter output, IReadOnlyList<SettingRow> table, string example,
        IEnumerable<(string Call, string Summary)> usage, params IEnumerable<(string Name, string Summary)> commands)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(example);
        foreach ((string call, string summary) in usage)
        {
            output.WriteLine($"{call.PadRight(27)} {summary}");
        }

        output.WriteLine();
        if (commands.Any())
        {
            output.WriteLine("Commands:");
        }

        foreach ((string name, string summary) in commands)
        {
            output.WriteLine($"  {name.PadRight(Width)} {summary}");
        }

        if (commands.Any())
        {
            output.WriteLine();
        }

        string environment = example[..example.IndexOf('=', StringComparison.Ordinal)].Replace(":", "__", StringComparison.Ordinal);
        output.WriteLine($"Settings: in appsettings.json, in the environment ({environment}), or here (--{example}).");
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
