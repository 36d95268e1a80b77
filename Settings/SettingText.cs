using System.Globalization;

namespace ClickAggregator.Settings;

/// <summary>
/// How sizes and durations are written: <c>256 MiB</c>, <c>10 m</c>. A bare number is bytes or seconds; a duration may
/// also be a TimeSpan (<c>00:10:00</c>).
/// </summary>
public static class SettingText
{
    private static readonly (string Unit, long Bytes)[] SizeUnits =
        [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1)];

    // "ms" stands before "m" and "s": the first unit that the text ends with wins.
    private static readonly (string Unit, long Milliseconds)[] DurationUnits =
        [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

    public static bool TryParseSize(string text, out long bytes)
    {
        bytes = 0;
        (string number, long unit) = Split(text, SizeUnits, 1);
        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            && TryMultiply(value, unit, out bytes);
    }

    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Contains(':', StringComparison.Ordinal))
        {
            return TimeSpan.TryParse(text.Trim(), CultureInfo.InvariantCulture, out duration) && duration >= TimeSpan.Zero;
        }

        (string number, long unit) = Split(text, DurationUnits, 1_000);
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            || !TryMultiply(value, unit, out long milliseconds)
            || milliseconds > TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond)
        {
            return false;
        }

        duration = TimeSpan.FromTicks(milliseconds * TimeSpan.TicksPerMillisecond);
        return true;
    }

    /// <summary>The shortest exact form: 268435456 is <c>256 MiB</c>.</summary>
    public static string OfSize(long bytes)
    {
        foreach ((string unit, long size) in SizeUnits)
        {
            if (bytes >= size && bytes % size == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / size} {unit}");
            }
        }

        return "0 B";
    }

    /// <summary>The shortest exact form: 600 seconds are <c>10 m</c>. Up to two days stay hours, as people say it.</summary>
    public static string OfDuration(TimeSpan duration)
    {
        long milliseconds = (long)duration.TotalMilliseconds;
        if (milliseconds == 0)
        {
            return "0 s";
        }

        if (milliseconds % 86_400_000 == 0 && milliseconds > 2 * 86_400_000)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 86_400_000} d");
        }

        foreach ((string unit, long length) in ((string, long)[])[("h", 3_600_000), ("m", 60_000), ("s", 1_000)])
        {
            if (milliseconds % length == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / length} {unit}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds} ms");
    }

    private static (string Number, long Unit) Split(string text, (string Unit, long Value)[] units, long bare)
    {
        text = text.Trim();
        foreach ((string unit, long value) in units)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                return (text[..^unit.Length].TrimEnd(), value);
            }
        }

        return (text, bare);
    }

    private static bool TryMultiply(decimal value, long unit, out long product)
    {
        product = 0;
        if (value > long.MaxValue / unit)
        {
            return false;
        }

        decimal exact = value * unit;
        product = (long)exact;
        return exact == product;
    }
}
