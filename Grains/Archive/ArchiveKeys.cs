using System.Globalization;

namespace ClickAggregator.Grains.Archive;

/// <summary>What objects of the archive are called: a function of what they hold, and of nothing else.</summary>
internal static class ArchiveKeys
{
    /// <summary>The table: what is below it holds each click once.</summary>
    public const string Table = "clicks/";

    private const int HourMilliseconds = 3_600_000;
    private static readonly int s_epoch = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    public static string Manifest(int chain) => string.Create(CultureInfo.InvariantCulture, $"manifest/chain-{chain:D4}/");

    public static string Entry(int chain, long number) => string.Create(CultureInfo.InvariantCulture, $"manifest/chain-{chain:D4}/{number:D12}.json");

    public static string Inbox(int chain) => string.Create(CultureInfo.InvariantCulture, $"inbox/chain-{chain:D4}/");

    public static string Inbox(int chain, long first, long last) =>
        string.Create(CultureInfo.InvariantCulture, $"inbox/chain-{chain:D4}/{first:D12}-{last:D12}.parquet");

    /// <summary>The first and the last offset of an object, by its key; false where it is none.</summary>
    public static bool TryOffsets(string key, out long first, out long last)
    {
        ReadOnlySpan<char> name = key.AsSpan(key.LastIndexOf('/') + 1);
        int dash = name.LastIndexOf('-');
        int dot = name.LastIndexOf('.');
        last = 0;
        return long.TryParse(name[(name[..Math.Max(0, dash)].LastIndexOf('-') + 1)..Math.Max(0, dash)], NumberStyles.None, CultureInfo.InvariantCulture, out first)
            && dot > dash && long.TryParse(name[(dash + 1)..dot], NumberStyles.None, CultureInfo.InvariantCulture, out last);
    }

    public static string Merged(int chain, int hour, long first, long last) =>
        string.Create(CultureInfo.InvariantCulture, $"{HourFolder(hour)}{ChainPrefix(chain)}{first:D12}-{last:D12}.parquet");

    public static string HourFolder(int hour)
    {
        DateTimeOffset at = DateTimeOffset.FromUnixTimeMilliseconds((long)hour * HourMilliseconds);
        return string.Create(CultureInfo.InvariantCulture, $"{Table}date={at:yyyy-MM-dd}/hour={at:HH}/");
    }

    /// <summary>The UTC day of an object of the table, in days since the epoch, by its key; false where it is none.</summary>
    public static bool TryDay(string key, out int day)
    {
        int from = Table.Length + "date=".Length;
        bool isDay = DateOnly.TryParseExact(key.AsSpan(Math.Min(from, key.Length), Math.Clamp(key.Length - from, 0, 10)), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date);
        day = isDay ? date.DayNumber - s_epoch : 0;
        return isDay && key.StartsWith(Table, StringComparison.Ordinal);
    }

    /// <summary>Stands behind all keys of a UTC day in the table, and before those of the next.</summary>
    public static string BehindDay(int day) => string.Create(CultureInfo.InvariantCulture, $"{Table}date={DateOnly.FromDayNumber(day + s_epoch):yyyy-MM-dd}/~");

    /// <summary>How the names of a chain's objects in the table begin.</summary>
    public static string ChainPrefix(int chain) => string.Create(CultureInfo.InvariantCulture, $"p{chain:D4}-");

    /// <summary>Whether a table's object is of a chain.</summary>
    public static bool IsOf(string key, int chain) =>
        key.StartsWith(Table, StringComparison.Ordinal) && key.AsSpan(key.LastIndexOf('/') + 1).StartsWith(ChainPrefix(chain), StringComparison.Ordinal);
}
