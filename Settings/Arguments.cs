namespace ClickAggregator.Settings;

/// <summary>
/// The command line as settings. A plain command-line provider keeps only the last of a repeated switch and takes any
/// name; here list switches are gathered and an unknown one is a fault.
/// </summary>
public sealed class Arguments
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _faults = [];

    private Arguments()
    {
    }

    public IReadOnlyDictionary<string, string?> Values => _values;
    public IReadOnlyList<string> Faults => _faults;
    public bool Help { get; private set; }

    /// <summary>Notes what is wrong with another source of settings, to be told with the rest.</summary>
    public void Fault(string text) => _faults.Add(text);

    /// <summary>Reads a command line.</summary>
    /// <param name="args">As they were typed.</param>
    /// <param name="table">The program's settings.</param>
    /// <param name="names">The other names that the program knows.</param>
    public static Arguments Parse(IReadOnlyList<string> args, IReadOnlyList<SettingRow> table, ProgramNames names)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(names);
        var arguments = new Arguments();
        var repeats = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < args.Count; i++)
        {
            string arg = args[i];
            if (arg is "--help" or "-h" or "-?")
            {
                arguments.Help = true;
                continue;
            }

            if (!arg.StartsWith("--", StringComparison.Ordinal))
            {
                arguments._faults.Add($"\"{arg}\" is not a switch; --help lists them");
                continue;
            }

            int equals = arg.IndexOf('=', StringComparison.Ordinal);
            string given = equals < 0 ? arg : arg[..equals];
            string? value = equals < 0 ? null : arg[(equals + 1)..];
            SettingRow? row = Find(table, given);
            if (row is null && !names.IsHosts(given[2..]))
            {
                arguments._faults.Add(names.Refuse(given[2..]) ?? $"{given} is not a setting{NearestName.Of(given, table)}; --help lists them");

                if (value is null && i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal))
                {
                    i++;
                }

                continue;
            }

            if (value is null && row?.Shape != SettingShape.Flag)
            {
                if (i + 1 >= args.Count || args[i + 1].StartsWith("--", StringComparison.Ordinal))
                {
                    arguments._faults.Add($"{given} needs a value");
                    continue;
                }

                value = args[++i];
            }

            arguments.Set(row, given, value ?? "true", repeats);
        }

        return arguments;
    }

    private void Set(SettingRow? row, string given, string value, Dictionary<string, int> repeats)
    {
        string name = row is null or { Shape: SettingShape.Map } ? given[2..] : row.Name;
        if (row?.Shape == SettingShape.List)
        {
            int index = repeats.GetValueOrDefault(name);
            repeats[name] = index + 1;
            // Watch:Files:3 names the place itself
            _values[given.Length > 2 + name.Length && given[2..].StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)
                ? given[2..]
                : $"{name}:{index}"] = value;
        }
        else if (!_values.TryAdd(name, value))
        {
            _faults.Add($"{given} is given twice, and takes one value");
        }
    }

    private static SettingRow? Find(IReadOnlyList<SettingRow> table, string given)
    {
        foreach (SettingRow row in table)
        {
            if (given == row.Switch || row.Has(given[2..]))
            {
                return row;
            }
        }

        return null;
    }
}
