namespace ClickAggregator.Clicks;

/// <summary>Reads event times: ISO 8601 with a zone, or whole epoch milliseconds.</summary>
internal static class TimestampText
{
    /// <summary>2000-01-01T00:00:00Z.</summary>
    public const long Oldest = 946_684_800_000;

    /// <summary>Numbers up to here are seconds sent by mistake (as milliseconds they lie before 1973-03-03).</summary>
    public const long MostSeconds = 100_000_000_000;

    /// <summary>How far a click's clock may run ahead of ours, in milliseconds.</summary>
    public const long MostAhead = 5 * 60 * 1000;

    private const int DayMilliseconds = 86_400_000;

    /// <summary>Reads a JSON number.</summary>
    public static ClickErrorCode ReadNumber(ReadOnlySpan<byte> digits, long now, out long timestamp)
    {
        bool negative = digits[0] == (byte)'-';
        if (negative)
        {
            digits = digits[1..];
        }

        timestamp = 0;
        long value = 0;
        foreach (byte digit in digits)
        {
            if ((uint)(digit - '0') > 9)
            {
                return ClickErrorCode.TimestampInvalid;
            }

            // Beyond this it is in the far future whatever follows; it must not wrap around.
            value = value > long.MaxValue / 100 ? value : (value * 10) + (digit - '0');
        }

        if (negative && value != 0)
        {
            return ClickErrorCode.TimestampTooOld;
        }

        timestamp = value;
        return value <= MostSeconds ? ClickErrorCode.TimestampInSeconds : CheckRange(value, now);
    }

    /// <summary>Reads <c>2026-11-22T19:21:55.123Z</c>; seconds and fraction may be left out, digits beyond the millisecond are cut off.</summary>
    public static ClickErrorCode ReadText(ReadOnlySpan<byte> text, long now, out long timestamp)
    {
        timestamp = 0;
        if (text.Length < 17
            || !TryDigits(text, 0, 4, out int year) || text[4] != (byte)'-'
            || !TryDigits(text, 5, 2, out int month) || text[7] != (byte)'-'
            || !TryDigits(text, 8, 2, out int day) || (text[10] | 0x20) != 't'
            || !TryDigits(text, 11, 2, out int hour) || text[13] != (byte)':'
            || !TryDigits(text, 14, 2, out int minute)
            || month is 0 or > 12 || day == 0 || day > DaysIn(year, month) || hour > 23 || minute > 59)
        {
            return ClickErrorCode.TimestampInvalid;
        }

        int milliseconds = 0;
        text = text[16..];
        if (text[0] == (byte)':')
        {
            if (!TryDigits(text, 1, 2, out int second) || second > 60)
            {
                return ClickErrorCode.TimestampInvalid;
            }

            milliseconds = second * 1000;
            text = text[3..];
            if (!text.IsEmpty && text[0] is (byte)'.' or (byte)',' && !TryFraction(ref text, ref milliseconds))
            {
                return ClickErrorCode.TimestampInvalid;
            }

            // A leap second stays in its minute.
            milliseconds = second == 60 ? 59_999 : milliseconds;
        }

        if (!TryZone(text, out int zoneMinutes))
        {
            return ClickErrorCode.TimestampInvalid;
        }

        timestamp = (DaysSinceEpoch(year, month, day) * DayMilliseconds)
            + (((hour * 60) + minute - zoneMinutes) * 60_000L) + milliseconds;
        return CheckRange(timestamp, now);
    }

    private static ClickErrorCode CheckRange(long timestamp, long now) =>
        timestamp < Oldest ? ClickErrorCode.TimestampTooOld
        : timestamp - MostAhead > now ? ClickErrorCode.TimestampInFuture
        : ClickErrorCode.None;

    private static bool TryDigits(ReadOnlySpan<byte> text, int at, int count, out int value)
    {
        value = 0;
        if (text.Length < at + count)
        {
            return false;
        }

        for (int i = at; i < at + count; i++)
        {
            uint digit = (uint)(text[i] - '0');
            if (digit > 9)
            {
                return false;
            }

            value = (value * 10) + (int)digit;
        }

        return true;
    }

    private static bool TryFraction(ref ReadOnlySpan<byte> text, ref int milliseconds)
    {
        int at = 1;
        int unit = 100;
        while (at < text.Length && (uint)(text[at] - '0') <= 9)
        {
            milliseconds += (text[at] - '0') * unit;
            unit /= 10;
            at++;
        }

        text = text[at..];
        return at > 1;
    }

    // Z, +hh:mm, +hhmm or +hh.
    private static bool TryZone(ReadOnlySpan<byte> zone, out int minutes)
    {
        minutes = 0;
        if (zone.Length == 1)
        {
            return (zone[0] | 0x20) == 'z';
        }

        if (zone.Length is not (3 or 5 or 6) || zone[0] is not ((byte)'+' or (byte)'-')
            || !TryDigits(zone, 1, 2, out int hours) || hours > 23
            || (zone.Length == 6 && zone[3] != (byte)':'))
        {
            return false;
        }

        int rest = 0;
        if (zone.Length > 3 && (!TryDigits(zone, zone.Length - 2, 2, out rest) || rest > 59))
        {
            return false;
        }

        minutes = ((hours * 60) + rest) * (zone[0] == (byte)'-' ? -1 : 1);
        return true;
    }

    private static int DaysIn(int year, int month) => month switch
    {
        2 => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    // The proleptic Gregorian calendar, with years that begin in March so that the leap day comes last.
    private static long DaysSinceEpoch(int year, int month, int day)
    {
        int y = month <= 2 ? year - 1 : year;
        int era = (y >= 0 ? y : y - 399) / 400;
        int yearOfEra = y - (era * 400);
        int dayOfYear = ((153 * (month > 2 ? month - 3 : month + 9)) + 2) / 5 + day - 1;
        int dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146_097L) + dayOfEra - 719_468;
    }
}
