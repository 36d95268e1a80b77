namespace ClickAggregator.Settings;

/// <summary>How names of settings lie within each other.</summary>
internal static class SettingName
{
    /// <summary><c>Watch:Files:2</c> is an item of <c>Watch:Files</c>.</summary>
    public static bool IsItemOf(string name, string list) =>
        name.Length > list.Length + 1
        && name.StartsWith(list, StringComparison.OrdinalIgnoreCase)
        && name[list.Length] == ':'
        && uint.TryParse(name.AsSpan(list.Length + 1), out _);

    /// <summary><c>Kafka:Client:acks</c> is in <c>Kafka:Client:*</c>.</summary>
    public static bool IsIn(string name, string map) =>
        name.Length >= map.Length && name.StartsWith(map[..^1], StringComparison.OrdinalIgnoreCase);
}
