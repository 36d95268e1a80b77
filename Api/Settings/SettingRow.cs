namespace ClickAggregator.Api.Settings;

/// <summary>How a setting is given.</summary>
internal enum SettingShape
{
    /// <summary>One value.</summary>
    Value,

    /// <summary>Any number of values; its switch may be repeated.</summary>
    List,

    /// <summary>Present or not; its switch takes no value.</summary>
    Flag,

    /// <summary>Any number of values under names of their own: <c>Kafka:Client:compression.type</c>.</summary>
    Map,
}

/// <summary>One line of <c>--help</c>: the same call that reads a setting describes it, so the two cannot differ.</summary>
/// <param name="Name">The full name, as in <c>appsettings.json</c>, e.g. <c>ClickLog:SegmentBytes</c>.</param>
/// <param name="Switch">The short switch, e.g. <c>--data</c>; null where there is only the full name.</param>
/// <param name="Unit">What a value is: <c>size</c>, <c>duration</c>, <c>number</c>, <c>text</c>, ...</param>
/// <param name="Default">The default as it would be typed; <c>none</c> where there is none.</param>
/// <param name="Range">What is allowed.</param>
/// <param name="Summary">What it does, in one line.</param>
/// <param name="Shape">How it is given.</param>
internal sealed record SettingRow(
    string Name, string? Switch, string Unit, string Default, string Range, string Summary, SettingShape Shape);
