using System.Globalization;
using System.IO.Hashing;

namespace ClickAggregator.ClickLog.Watch;

/// <summary>
/// What a file is called in the markers: its number and a hash of its first line, so that a rename keeps it and a new file
/// that got the number of a deleted one does not. A file that was emptied and begins with the same line again gets the
/// next generation.
/// </summary>
internal static class SourceName
{
    /// <summary>How much of the first line is hashed, bytes.</summary>
    public const int FingerprintBytes = 256;

    /// <summary>The name of the first generation; null while the first line is not known.</summary>
    /// <param name="number">See <see cref="FileNumber"/>.</param>
    /// <param name="start">The first bytes of the file, up to <see cref="FingerprintBytes"/>.</param>
    /// <param name="isWhole">Nothing will be added to the first line.</param>
    public static string? Of(ulong number, ReadOnlySpan<byte> start, bool isWhole)
    {
        int end = start.IndexOf((byte)'\n');
        if (end < 0 && start.Length < FingerprintBytes && !isWhole)
        {
            return null;
        }

        // The end of the line is not part of it: a line that was taken without one may still get it.
        ReadOnlySpan<byte> first = (end < 0 ? start : start[..end]).TrimEnd(" \t\r"u8);
        return string.Create(CultureInfo.InvariantCulture, $"{number:x}-{XxHash3.HashToUInt64(first):x16}");
    }

    /// <summary>The name of a later generation.</summary>
    public static string Generation(string first, int generation) =>
        generation == 0 ? first : string.Create(CultureInfo.InvariantCulture, $"{first}-g{generation}");

    /// <summary>The number of the file that a name was given to; null where it is not such a name.</summary>
    public static ulong? NumberOf(string name)
    {
        int end = name.IndexOf('-', StringComparison.Ordinal);
        return end > 0 && ulong.TryParse(name.AsSpan(0, end), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong number)
            ? number
            : null;
    }
}
