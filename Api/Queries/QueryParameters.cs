using System.Globalization;
using ClickAggregator.Api.Problems;
using ClickAggregator.Grains.Query;

namespace ClickAggregator.Api.Queries;

/// <summary>A range and how to divide it, as a request gave them. Minutes are since the Unix epoch.</summary>
internal sealed record QueryParameters(long From, long To, TimeZoneInfo Zone, Granularity? Granularity)
{
    private const int MaxDays = 400;
    private const int MaxPoints = 10_000;
    private static readonly string[] s_known = ["last", "from", "to", "granularity", "timezone"];

    /// <summary>Reads the query string; a fault names the parameter and what is allowed.</summary>
    public static (QueryParameters? Value, IResult? Fault) Read(IQueryCollection query, TimeProvider time)
    {
        foreach (string name in query.Keys)
        {
            if (!s_known.Contains(name, StringComparer.Ordinal))
            {
                return Fault("unknown_parameter", name, $"'{name}' is not a parameter here; known are {string.Join(", ", s_known)}");
            }

            if (query[name].Count != 1)
            {
                return Fault("invalid_parameter", name, $"'{name}' is given more than once");
            }
        }

        TimeZoneInfo? zone = TimeZoneInfo.Utc;
        if (query.TryGetValue("timezone", out var zoneName) && !TimeZoneInfo.TryFindSystemTimeZoneById(zoneName.ToString(), out zone))
        {
            return Fault("invalid_parameter", "timezone", "'timezone' is not an IANA zone, such as Europe/Berlin");
        }

        Granularity? granularity = null;
        if (query.TryGetValue("granularity", out var points))
        {
            granularity = points.ToString() switch
            {
                "minute" => Grains.Query.Granularity.Minute,
                "hour" => Grains.Query.Granularity.Hour,
                "day" => Grains.Query.Granularity.Day,
                _ => null,
            };
            if (granularity is null)
            {
                return Fault("invalid_parameter", "granularity", "'granularity' is minute, hour or day");
            }
        }

        // Rolling ranges end at the next full minute, so that the running one is in them.
        long to = (time.GetUtcNow().ToUnixTimeSeconds() / 60) + 1;
        long from;
        bool ranged = query.ContainsKey("from") || query.ContainsKey("to");
        if (ranged)
        {
            if (query.ContainsKey("last"))
            {
                return Fault("invalid_parameter", "last", "'last' does not go with 'from' and 'to'");
            }

            if (!TryInstant(query["from"].ToString(), zone!, raise: false, out from))
            {
                return Fault("invalid_parameter", "from", "'from' is a date or an ISO 8601 time with a zone");
            }

            if (query.ContainsKey("to") && !TryInstant(query["to"].ToString(), zone!, raise: true, out to))
            {
                return Fault("invalid_parameter", "to", "'to' is a date or an ISO 8601 time with a zone");
            }
        }
        else
        {
            string last = query.TryGetValue("last", out var given) ? given.ToString() : "20m";
            int unit = last.Length == 0 ? 0 : last[^1] switch { 'm' => 1, 'h' => 60, 'd' => 1440, _ => 0 };
            if (unit == 0 || !int.TryParse(last.AsSpan(0, last.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1)
            {
                return Fault("invalid_parameter", "last", "'last' is a number of m, h or d, such as 20m");
            }

            from = to - ((long)count * unit);
        }

        if (from >= to)
        {
            return Fault("invalid_parameter", "to", "'to' is not after 'from'");
        }

        long step = granularity switch { Grains.Query.Granularity.Minute => 1, Grains.Query.Granularity.Hour => 60, _ => 1440 };
        return to - from > MaxDays * 1440L || (granularity is not null && (to - from) / step > MaxPoints)
            ? Fault("range_too_large", null, $"a query spans at most {MaxDays} days and {MaxPoints} points")
            : (new QueryParameters(from, to, zone!, granularity), null);
    }

    private static bool TryInstant(string text, TimeZoneInfo zone, bool raise, out long minute)
    {
        minute = 0;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date))
        {
            DateTime local = date.ToDateTime(TimeOnly.MinValue);
            while (zone.IsInvalidTime(local))
            {
                // A midnight that the clock skips: the day begins where it goes on.
                local = local.AddMinutes(RangeBounds.QuarterMinutes);
            }

            TimeSpan offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
            minute = (long)(local - offset - DateTime.UnixEpoch).TotalMinutes;
            return true;
        }

        bool zoned = text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');
        if (!zoned || !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset time))
        {
            return false;
        }

        double minutes = (time - DateTimeOffset.UnixEpoch).TotalMinutes;
        minute = (long)(raise ? Math.Ceiling(minutes) : Math.Floor(minutes));
        return true;
    }

    private static (QueryParameters?, IResult?) Fault(string code, string? field, string message) =>
        (null, ApiProblem.Result(400, code, message, [new ApiFault(null, field, code, message)]));
}
