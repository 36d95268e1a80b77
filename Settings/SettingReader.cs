using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Settings;

/// <summary>
/// Reads settings and, by the same calls, learns their names, defaults and ranges (for <c>--help</c>, for switches and to
/// tell an unknown setting). It never throws for a bad value: it notes the fault, so that all of them are reported at once.
/// </summary>
public sealed class SettingReader(IConfiguration configuration)
{
    private readonly List<SettingRow> _rows = [];
    private readonly List<string> _faults = [];

    public IReadOnlyList<SettingRow> Rows => _rows;

    /// <summary>Each is a setting's name and the rule that it broke.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>The names, defaults and ranges of all settings that a program reads.</summary>
    public static IReadOnlyList<SettingRow> TableOf(Action<SettingReader> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var reader = new SettingReader(new ConfigurationBuilder().Build());
        read(reader);
        return reader.Rows;
    }

    public void Fault(string name, string rule) => _faults.Add($"{name} {rule}");

    /// <summary>Notes faults of options that were made of settings: they name their own type and property there.</summary>
    /// <param name="faults">Each <c>Type.Property rule</c>, or <c>Type.Property: text</c>.</param>
    /// <param name="section">The section of the setting that a property comes from.</param>
    public void FaultOptions(IEnumerable<string> faults, Func<string, string> section)
    {
        ArgumentNullException.ThrowIfNull(faults);
        ArgumentNullException.ThrowIfNull(section);
        foreach (string fault in faults)
        {
            int dot = fault.IndexOf('.', StringComparison.Ordinal);
            int end = fault.IndexOf(' ', StringComparison.Ordinal);
            string name = fault[(dot + 1)..end].TrimEnd(':');
            Fault($"{section(name)}:{name}", fault[(end + 1)..]);
        }
    }

    public int Number(string name, int @default, int min, int max, string summary)
    {
        string range = string.Create(CultureInfo.InvariantCulture, $"{min:N0} to {max:N0}");
        Add(name, null, "number", @default.ToString("N0", CultureInfo.InvariantCulture), range, summary, SettingShape.Value);
        if (Given(name) is not { } text)
        {
            return @default;
        }

        // 4,000,000 and 4_000_000 are how people write it; a decimal comma would fall out of the digits' grouping.
        string digits = text.Replace("_", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal);
        if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max)
        {
            return value;
        }

        Fault(name, $"must be a whole number from {range}, and is \"{text}\"");
        return @default;
    }

    public long Size(string name, long @default, long min, long max, string summary)
    {
        string range = $"{SettingText.OfSize(min)} to {SettingText.OfSize(max)}";
        Add(name, null, "size", SettingText.OfSize(@default), range, summary, SettingShape.Value);
        if (Given(name) is not { } text)
        {
            return @default;
        }

        if (SettingText.TryParseSize(text, out long value) && value >= min && value <= max)
        {
            return value;
        }

        Fault(name, $"must be a size from {range} (such as \"256 MiB\"; a bare number is bytes), and is \"{text}\"");
        return @default;
    }

    public TimeSpan Duration(string name, TimeSpan @default, TimeSpan min, TimeSpan max, string summary) =>
        Duration(name, @default, min, max, summary, orForEver: false) ?? @default;

    /// <summary>Zero, for never, is in no range.</summary>
    public TimeSpan DurationOrZero(string name, TimeSpan @default, TimeSpan min, TimeSpan max, string summary) =>
        Duration(name, @default, min, max, summary, orForEver: false, orZero: true) ?? @default;

    /// <summary>Null means for ever, which is the default.</summary>
    public TimeSpan? DurationOrForEver(string name, TimeSpan min, TimeSpan max, string summary) =>
        Duration(name, null, min, max, summary, orForEver: true);

    public string Text(string name, string @default, string summary, string? @switch = null, string unit = "text")
    {
        Add(name, @switch, unit, @default, "not empty", summary, SettingShape.Value);
        string? text = Given(name);
        if (text is { Length: 0 })
        {
            Fault(name, "must not be empty");
        }

        return string.IsNullOrEmpty(text) ? @default : text;
    }

    public string? OptionalText(string name, string range, string summary)
    {
        Add(name, null, "text", "none", range, summary, SettingShape.Value);
        return Given(name) is { Length: > 0 } text ? text : null;
    }

    public string Choice(string name, string[] choices, string summary)
    {
        Add(name, null, "one of", choices[0], string.Join(", ", choices), summary, SettingShape.Value);
        string text = Given(name) ?? choices[0];
        if (Array.IndexOf(choices, text) >= 0)
        {
            return text;
        }

        Fault(name, $"must be one of: {string.Join(", ", choices)}, and is \"{text}\"");
        return choices[0];
    }

    public bool Flag(string name, string? @switch, string summary)
    {
        Add(name, @switch, "flag", "false", "true, false", summary, SettingShape.Flag);
        if (Given(name) is not { } text)
        {
            return false;
        }

        if (bool.TryParse(text, out bool value))
        {
            return value;
        }

        Fault(name, $"must be true or false, and is \"{text}\"");
        return false;
    }

    public IReadOnlyList<string> List(
        string name, IReadOnlyList<string> @default, int max, string range, string summary, string? @switch = null)
    {
        string shown = @default.Count == 0 ? "none" : string.Join(", ", @default);
        Add(name, @switch, "list", shown, range, summary, SettingShape.List);
        var values = new List<string>();
        foreach ((string place, string? text) in Items(name))
        {
            if (text is { Length: > 0 })
            {
                values.Add(text);
            }
            else if (place != name)
            {
                Fault(place, "must be a text that is not empty");
            }
        }

        if (values.Count > max)
        {
            Fault(name, string.Create(CultureInfo.InvariantCulture, $"must have at most {max:N0} entries, and has {values.Count:N0}"));
        }

        return values.Count == 0 ? @default : values;
    }

    /// <summary>Values under names that somebody else defines.</summary>
    public IReadOnlyDictionary<string, string> Map(string name, string range, string summary)
    {
        Add(name + ":*", null, "text", "none", range, summary, SettingShape.Map);
        return configuration.GetSection(name).AsEnumerable(makePathsRelative: true)
            .Where(item => item.Key.Length > 0 && item.Value is not null)
            .ToDictionary(item => item.Key, item => item.Value!.Trim(), StringComparer.Ordinal);
    }

    /// <summary>Whether anything below a section is given.</summary>
    public bool HasAny(string section) => configuration.GetSection(section).AsEnumerable().Any(item => item.Value is not null && item.Key != section);

    private TimeSpan? Duration(string name, TimeSpan? @default, TimeSpan min, TimeSpan max, string summary, bool orForEver, bool orZero = false)
    {
        string range = $"{SettingText.OfDuration(min)} to {SettingText.OfDuration(max)}{(orForEver ? ", or \"for ever\"" : orZero ? ", or 0" : "")}";
        string shown = @default is { } length ? SettingText.OfDuration(length) : "for ever";
        Add(name, null, "duration", shown, range, summary, SettingShape.Value);
        if (Given(name) is not { } text || (orForEver && text.Replace(" ", "", StringComparison.Ordinal) is "forever"))
        {
            return @default;
        }

        if (SettingText.TryParseDuration(text, out TimeSpan value) && ((value >= min && value <= max) || (orZero && value == TimeSpan.Zero)))
        {
            return value;
        }

        Fault(name, $"must be a duration from {range} (such as \"500 ms\", \"10 m\", \"24 h\"; a bare number is seconds), and is \"{text}\"");
        return @default;
    }

    // Items of several sources would mix by their places: the first of three files replaced, and two of them still
    // followed. A later source has the whole list.
    private IEnumerable<(string Place, string? Text)> Items(string name)
    {
        IConfigurationProvider? source = (configuration as IConfigurationRoot)?.Providers
            .LastOrDefault(provider => provider.TryGet(name, out _) || provider.GetChildKeys([], name).Any());
        if (source is null)
        {
            yield break;
        }

        if (source.TryGet(name, out string? single))
        {
            yield return (name, single?.Trim());
        }

        foreach (string key in source.GetChildKeys([], name).Distinct(StringComparer.OrdinalIgnoreCase).Order(ConfigurationKeyComparer.Instance))
        {
            string place = ConfigurationPath.Combine(name, key);
            yield return (place, source.TryGet(place, out string? text) ? text?.Trim() : null);
        }
    }

    private string? Given(string name) => configuration[name]?.Trim();

    private void Add(string name, string? @switch, string unit, string @default, string range, string summary, SettingShape shape) =>
        _rows.Add(new SettingRow(name, @switch, unit, @default, range, summary, shape));
}
