namespace ClickAggregator.Settings;

/// <summary>How a setting is given.</summary>
public enum SettingShape
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
