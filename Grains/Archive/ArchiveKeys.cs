using System.Globalization;

namespace ClickAggregator.Grains.Archive;

/// <summary>What objects of the archive are called: a function of what they hold, and of nothing else.</summary>
internal static class ArchiveKeys
{
    /// <summary>The table: what is below it holds each click once.</summary>
    public const string Table = "clicks/";

    private const int HourMilliseconds = 3_600_000;

    public static string Manifest(int chain) => string.Create(CultureInfo.InvariantCulture, $"manifest/chain-{chain:D4}/");

    public static string Entry(int chain, long number) => string.Create(CultureInfo.InvariantCulture, $"manifest/chain-{chain:D4}/{number:D12}.json");

    public static string Inbox(int chain) => string.Create(CultureInfo.InvariantCulture, $"inbox/chain-{chain:D4}/");

    public static string Inbox(int chain, long first, long last) =>
        string.Create(CultureInfo.InvariantCulture, $"inbox/chain-{chain:D4}/{first:D12}-{last:D12}.parquet");

    public static string Merged(int chain, int hour, long first, long last) =>
        string.Create(CultureInfo.InvariantCulture, $"{HourFolder(hour)}{ChainPrefix(chain)}{first:D12}-{last:D12}.parquet");

    public static string HourFolder(int hour)
    {
        DateTimeOffset at = DateTimeOffset.FromUnixTimeMilliseconds((long)hour * HourMilliseconds);
        return string.Create(CultureInfo.InvariantCulture, $"{Table}date={at:yyyy-MM-dd}/hour={at:HH}/");
    }

    /// <summary>How the names of a chain's objects in the table begin.</summary>
    public static string ChainPrefix(int chain) => string.Create(CultureInfo.InvariantCulture, $"p{chain:D4}-");

    /// <summary>Whether a table's object is of a chain.</summary>
    public static bool IsOf(string key, int chain) =>
        key.StartsWith(Table, StringComparison.Ordinal) && key.AsSpan(key.LastIndexOf('/') + 1).StartsWith(ChainPrefix(chain), StringComparison.Ordinal);
}
