namespace ClickAggregator.Settings;

/// <summary>One line of <c>--help</c>: the same call that reads a setting describes it, so the two cannot differ.</summary>
/// <param name="Name">The full name, as in <c>appsettings.json</c>, e.g. <c>ClickLog:SegmentBytes</c>.</param>
/// <param name="Switch">The short switch, e.g. <c>--data</c>; null where there is only the full name.</param>
/// <param name="Unit">What a value is: <c>size</c>, <c>duration</c>, <c>number</c>, <c>text</c>, ...</param>
/// <param name="Default">The default as it would be typed; <c>none</c> where there is none.</param>
/// <param name="Range">What is allowed.</param>
/// <param name="Summary">What it does, in one line.</param>
/// <param name="Shape">How it is given.</param>
public sealed record SettingRow(
    string Name, string? Switch, string Unit, string Default, string Range, string Summary, SettingShape Shape)
{
    /// <summary>Whether a full name is this setting, an item of its list, or one of its map.</summary>
    internal bool Has(string name) =>
        Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        || (Shape == SettingShape.List && SettingName.IsItemOf(name, Name))
        || (Shape == SettingShape.Map && SettingName.IsIn(name, Name));
}
