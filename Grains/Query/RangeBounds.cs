namespace ClickAggregator.Grains.Query;

/// <summary>The length of a point.</summary>
public enum Granularity
{
    /// <summary>A minute.</summary>
    Minute,

    /// <summary>An hour of the zone's clock.</summary>
    Hour,

    /// <summary>A day of the zone's calendar.</summary>
    Day,
}

/// <summary>Where the points of a range begin, in minutes since the Unix epoch.</summary>
public static class RangeBounds
{
    /// <summary>Every offset since 2000 is a multiple of this, and so is every change of an hour or a day.</summary>
    public const int QuarterMinutes = 15;

    /// <summary>The ascending bounds of the points in <c>[from, to)</c>: the first is from, the last is to.</summary>
    public static long[] Of(long from, long to, Granularity granularity, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(from, to);
        List<long> bounds = [from];
        if (granularity == Granularity.Minute)
        {
            for (long minute = from + 1; minute < to; minute++)
            {
                bounds.Add(minute);
            }
        }
        else
        {
            DateTime last = Local(from, zone);
            for (long minute = (Math.DivRem(from, QuarterMinutes).Quotient + 1) * QuarterMinutes; minute < to; minute += QuarterMinutes)
            {
                DateTime local = Local(minute, zone);

                // The clock may show an hour twice (a new point at its full hour) or jump into the middle of one;
                // a day whose midnight is set back to the day before goes on.
                bool starts = granularity == Granularity.Day
                    ? local.Date > last.Date
                    : local.Minute == 0 || local.Date != last.Date || local.Hour != last.Hour;
                if (starts)
                {
                    bounds.Add(minute);
                    last = local;
                }
            }
        }

        bounds.Add(to);
        return [.. bounds];
    }

    /// <summary>The zone's clock at a minute since the epoch.</summary>
    public static DateTime Local(long minute, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTimeFromUtc(DateTime.UnixEpoch.AddMinutes(minute), zone);
}
