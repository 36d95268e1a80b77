using System.Buffers;

namespace ClickAggregator.Clicks;

/// <summary>
/// What an id may look like: 1-128 characters of <c>A-Z a-z 0-9 . _ ~ : -</c>, not <c>.</c> or <c>..</c>.
/// So an id stands in a URL path, a series, a file name and a CSV cell as it is.
/// </summary>
public static class IdRules
{
    /// <summary>The longest id, in bytes.</summary>
    public const int MaxBytes = 128;

    /// <summary>The longest device name, in bytes.</summary>
    public const int MaxDeviceBytes = 32;

    private const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-";

    private static readonly SearchValues<char> s_chars = SearchValues.Create(Characters);

    internal static readonly SearchValues<byte> Bytes = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-"u8);

    public static bool IsId(ReadOnlySpan<byte> id) => IsId(id, MaxBytes);

    public static bool IsId(ReadOnlySpan<char> id) =>
        id.Length is > 0 and <= MaxBytes
        && !id.ContainsAnyExcept(s_chars)
        && !(id[0] == '.' && (id.Length == 1 || (id.Length == 2 && id[1] == '.')));

    /// <summary>1-32 id characters.</summary>
    public static bool IsDevice(ReadOnlySpan<byte> device) => IsId(device, MaxDeviceBytes);

    /// <summary>1-32 id characters.</summary>
    public static bool IsDevice(ReadOnlySpan<char> device) => device.Length <= MaxDeviceBytes && IsId(device);

    /// <summary>Two ASCII letters, upper-case.</summary>
    public static bool IsCountry(ReadOnlySpan<char> country) =>
        country.Length == 2 && char.IsAsciiLetterUpper(country[0]) && char.IsAsciiLetterUpper(country[1]);

    /// <summary>Whether it is <c>.</c> or <c>..</c>, which a path would swallow.</summary>
    internal static bool IsDots(ReadOnlySpan<byte> id) =>
        id.Length is 1 or 2 && id[0] == (byte)'.' && id[^1] == (byte)'.';

    private static bool IsId(ReadOnlySpan<byte> id, int maxBytes) =>
        (uint)(id.Length - 1) < (uint)maxBytes && !id.ContainsAnyExcept(Bytes) && !IsDots(id);
}
