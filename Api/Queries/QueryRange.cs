using System.Globalization;
using ClickAggregator.Api.Settings;
using ClickAggregator.Grains.Query;

namespace ClickAggregator.Api.Queries;

/// <summary>A range of whole minutes, and how to divide it. Minutes are since the Unix epoch.</summary>
/// <param name="From">First minute.</param>
/// <param name="To">The minute after the last.</param>
/// <param name="Zone">Whose days and hours are meant, and whose offset times in the answer carry.</param>
/// <param name="Granularity">The points wanted; null for none.</param>
internal sealed record QueryRange(long From, long To, TimeZoneInfo Zone, Granularity? Granularity)
{
    private const int MinutesPerDay = 1440;

    /// <summary>The parameters that make a range.</summary>
    public static readonly string[] Names = ["last", "period", "from", "to", "timezone", "granularity"];

    // Nothing else: 03/04/2026Z is read one way here and another way there.
    private static readonly string[] s_times = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Where the points begin, and at last the end; null where none are wanted.</summary>
    public long[]? Bounds { get; private init; }

    /// <summary>Reads it from named values, as a query string or a body gives them.</summary>
    /// <param name="value">The value of a name; null where it is not given.</param>
    /// <param name="now">The time of the request.</param>
    /// <param name="limits">How long it may be, and how many points it may have.</param>
    /// <param name="byDefault">What <c>last</c> is where nothing says the range.</param>
    /// <exception cref="QueryFaultException">A value is not right.</exception>
    public static QueryRange Read(Func<string, string?> value, DateTimeOffset now, LimitSettings limits, string byDefault = "20m")
    {
        TimeZoneInfo zone = ZoneOf(value("timezone"));
        Granularity? granularity = value("granularity") switch
        {
            null => null,
            "minute" => Grains.Query.Granularity.Minute,
            "hour" => Grains.Query.Granularity.Hour,
            "day" => Grains.Query.Granularity.Day,
            _ => throw new QueryFaultException("invalid_parameter", "granularity", "'granularity' is minute, hour or day"),
        };

        int ways = (value("last") is null ? 0 : 1) + (value("period") is null ? 0 : 1) + (value("from") is null && value("to") is null ? 0 : 1);
        if (ways > 1)
        {
            throw new QueryFaultException("invalid_parameter", "last", "only one of 'last', 'period' and 'from'/'to' may be given");
        }

        // Rolling ranges end at the next full minute, so that the running one is in them.
        long next = (now.ToUnixTimeSeconds() / 60) + 1;
        (long from, long to) = value("period") is string period ? Period(period, next, zone)
            : value("from") is not null || value("to") is not null ? Between(value("from"), value("to"), next, zone)
            : Last(value("last") ?? byDefault, next);
        if (from >= to)
        {
            throw new QueryFaultException("invalid_parameter", "to", "'to' has to be after 'from'");
        }

        if (to - from > limits.Range.TotalMinutes)
        {
            throw new QueryFaultException(
                "range_too_large", null, string.Create(CultureInfo.InvariantCulture, $"a range has at most {limits.Range.TotalDays:0.##} days (Limits:Range)"));
        }

        if (granularity is null)
        {
            return new QueryRange(from, to, zone, null);
        }

        if (granularity == Grains.Query.Granularity.Minute && to - from > limits.Points)
        {
            throw TooManyPoints(to - from, limits);
        }

        long[] bounds = RangeBounds.Of(from, to, granularity.Value, zone);
        return bounds.Length - 1 > limits.Points ? throw TooManyPoints(bounds.Length - 1, limits) : new QueryRange(from, to, zone, granularity) { Bounds = bounds };
    }

    public static QueryFaultException TooManyPoints(long points, LimitSettings limits) => new(
        "range_too_large", "granularity",
        string.Create(CultureInfo.InvariantCulture, $"an answer has at most {limits.Points:N0} points (Limits:Points), and this one would have {points:N0}: take a coarser granularity"));

    private static TimeZoneInfo ZoneOf(string? name)
    {
        if (name is null or "UTC")
        {
            return TimeZoneInfo.Utc;
        }

        // A zone that was found before is found again in any case: whether a name is right must not depend on that.
        return IsZoneName(name) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone) && zone.HasIanaId && zone.Id == name
            ? zone
            : throw new QueryFaultException("invalid_parameter", "timezone", "'timezone' is an IANA zone, such as Europe/Berlin");
    }

    // The system's folder of zones holds more than IANA's names: the machine's own zone, and copies under right/ that count
    // leap seconds and are read wrongly. An IANA name begins with a capital letter, and its parts are short.
    private static bool IsZoneName(string name) =>
        name.Length is > 0 and <= 64 && char.IsAsciiLetterUpper(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+');

    private static (long From, long To) Last(string last, long next)
    {
        int unit = last.Length < 2 ? 0 : last[^1] switch { 'm' => 1, 'h' => 60, 'd' => MinutesPerDay, _ => 0 };
        if (unit == 0 || !int.TryParse(last.AsSpan(0, last.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1)
        {
            throw new QueryFaultException("invalid_parameter", "last", "'last' is a number of minutes, hours or days: 20m, 6h, 30d");
        }

        return (next - ((long)count * unit), next);
    }

    private static (long From, long To) Period(string period, long next, TimeZoneInfo zone)
    {
        var today = DateOnly.FromDateTime(RangeBounds.Local(next - 1, zone));
        DateOnly month = today.AddDays(1 - today.Day);
        return period switch
        {
            "today" => (Midnight(today, zone), next),
            "yesterday" => (Midnight(today.AddDays(-1), zone), Midnight(today, zone)),
            "last_7_days" => (Midnight(today.AddDays(-7), zone), Midnight(today, zone)),
            "last_30_days" => (Midnight(today.AddDays(-30), zone), Midnight(today, zone)),
            "last_90_days" => (Midnight(today.AddDays(-90), zone), Midnight(today, zone)),
            "this_month" => (Midnight(month, zone), next),
            "last_month" => (Midnight(month.AddMonths(-1), zone), Midnight(month, zone)),
            _ => throw new QueryFaultException(
                "invalid_parameter", "period", "'period' is today, yesterday, last_7_days, last_30_days, last_90_days, this_month or last_month"),
        };
    }

    private static (long From, long To) Between(string? from, string? to, long next, TimeZoneInfo zone)
    {
        long end = to is null ? next : Instant("to", to, zone, raise: true);
        return from is null
            ? throw new QueryFaultException("invalid_parameter", "from", "'to' goes with 'from'")
            : (Instant("from", from, zone, raise: false), end);
    }

    /// <summary>A date means the zone's midnight; a time is floored, or raised, to the minute.</summary>
    private static long Instant(string name, string text, TimeZoneInfo zone, bool raise) =>
        (long)Math.Floor((Moment(name, text, zone) + (raise ? 59_999 : 0)) / 60_000d);

    /// <summary>A date, which means the zone's midnight, or a time with a zone; in milliseconds since the epoch.</summary>
    /// <exception cref="QueryFaultException">It is neither.</exception>
    public static long Moment(string name, string text, TimeZoneInfo zone)
    {
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date) && InReach(date.Year))
        {
            return Midnight(date, zone) * 60_000;
        }

        // A space is what a '+' of a zone becomes in a query string that was not escaped.
        text = text.Length > 6 && text[^6] == ' ' ? string.Concat(text.AsSpan(0, text.Length - 6), "+", text.AsSpan(text.Length - 5)) : text;
        bool zoned = text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');
        if (zoned
            && DateTimeOffset.TryParseExact(text, s_times, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset time)
            && InReach(time.UtcDateTime.Year))
        {
            return time.ToUnixTimeMilliseconds();
        }

        throw new QueryFaultException(
            "invalid_parameter", name, $"'{name}' is a date (2026-11-22) or an ISO 8601 time with a zone (2026-11-22T19:21:00Z), from the year 1990 to 2199");
    }

    private static bool InReach(int year) => year is >= 1990 and < 2200;

    private static long Midnight(DateOnly date, TimeZoneInfo zone)
    {
        DateTime local = date.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(RangeBounds.QuarterMinutes); // a midnight that the clock skips: the day begins where it goes on
        }

        TimeSpan offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return (long)(local - offset - DateTime.UnixEpoch).TotalMinutes;
    }
}
