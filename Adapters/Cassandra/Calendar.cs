namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Which day an hour lies in and which year a day lies in, of any sign: the clock's own types end with the year 9999.</summary>
internal static class Calendar
{
    public const long HourMilliseconds = 3_600_000;
    public const long DayMilliseconds = 24 * HourMilliseconds;

    /// <summary>What is spread over partitions by time, beside days and years: spans of 30 days, counted from the epoch.</summary>
    public const int SpanHours = 30 * 24;

    public static int SpanOf(long hour) => (int)FloorDiv(hour, SpanHours);

    public static int DayOf(int hour) => (int)FloorDiv(hour, 24);

    /// <summary>When a day ends, milliseconds since the epoch.</summary>
    public static long EndOf(int day) => (day + 1L) * DayMilliseconds;

    /// <summary>The first day that begins at the hour or after it.</summary>
    public static int DayFrom(int hour) => (int)-FloorDiv(-(long)hour, 24);

    /// <summary>The year of the Gregorian calendar, by eras of 400 years that begin with a first of March.</summary>
    public static int YearOf(int day)
    {
        long fromEra = day + 719_468L;
        long era = FloorDiv(fromEra, 146_097);
        long dayOfEra = fromEra - (era * 146_097);
        long yearOfEra = (dayOfEra - (dayOfEra / 1_460) + (dayOfEra / 36_524) - (dayOfEra / 146_096)) / 365;
        long dayOfYear = dayOfEra - ((365 * yearOfEra) + (yearOfEra / 4) - (yearOfEra / 100));
        return (int)(yearOfEra + (era * 400) + (dayOfYear >= 306 ? 1 : 0));
    }

    public static long FloorDiv(long value, long by) => (value - (((value % by) + by) % by)) / by;
}
