using System.Globalization;
using System.Text.Json;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>The fields that every answer shares, written in one place.</summary>
internal static class AnswerFields
{
    /// <summary>A minute since the epoch, in the zone's time with its offset.</summary>
    public static string Time(long minute, TimeZoneInfo zone) => Milliseconds(minute * 60_000, zone, "yyyy-MM-ddTHH:mm:ss");

    /// <summary>A moment in milliseconds since the epoch, in the zone's time with its offset.</summary>
    public static string Moment(long milliseconds, TimeZoneInfo zone) => Milliseconds(milliseconds, zone, "yyyy-MM-ddTHH:mm:ss.fff");

    /// <summary>The range that was used.</summary>
    public static void WriteRange(Utf8JsonWriter json, QueryRange range, SeriesSums sums)
    {
        json.WriteString("from", Time(sums.From, range.Zone));
        json.WriteString("to", Time(sums.To, range.Zone));
        json.WriteString("timezone", range.Zone.Id);
    }

    /// <summary>Until when the numbers are complete.</summary>
    public static void WriteProgress(Utf8JsonWriter json, QueryContext query, QueryRange range, SeriesSums sums)
    {
        if (sums.CountedUntil == 0)
        {
            json.WriteNull("counted_until");
            json.WriteNull("lag_seconds");
        }
        else
        {
            json.WriteString("counted_until", Moment(sums.CountedUntil, range.Zone));
            json.WriteNumber("lag_seconds", Lag(query, sums));
        }

        json.WriteNumber("sources_stale", Sources.Stale(query.Http.RequestServices));
        json.WriteString("final_until", Finality.Until(sums) is long until ? Time(until, range.Zone) : null);
        WriteNumber(json, "version", Finality.Version(sums));
        if (sums.Incomplete)
        {
            json.WriteBoolean("incomplete", true);
        }
    }

    /// <summary>How far the counting is behind the clock of this process, seconds.</summary>
    public static decimal Lag(QueryContext query, SeriesSums sums) =>
        Math.Round(Math.Max(0, query.Now.ToUnixTimeMilliseconds() - sums.CountedUntil) / 1000m, 3);

    /// <summary>The points between the range's bounds.</summary>
    public static void WritePoints(Utf8JsonWriter json, QueryRange range, SeriesSums sums, long[] points)
    {
        bool[] final = FinalPoints(range, sums);
        json.WriteStartArray("points");
        for (int n = 0; n < points.Length; n++)
        {
            json.WriteStartObject();
            json.WriteString("start", Time(n == 0 ? sums.From : range.Bounds![n], range.Zone));
            json.WriteNumber("clicks", points[n]);
            json.WriteBoolean("final", final[n]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Whether each point is final.</summary>
    public static bool[] FinalPoints(QueryRange range, SeriesSums sums) => Finality.OfPoints(sums.Finality, [sums.From, .. range.Bounds![1..^1], sums.To]);

    /// <summary>A number, or null.</summary>
    public static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        if (value is long number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string Milliseconds(long milliseconds, TimeZoneInfo zone, string format)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        return ReferenceEquals(zone, TimeZoneInfo.Utc)
            ? time.ToString(format, CultureInfo.InvariantCulture) + "Z"
            : TimeZoneInfo.ConvertTime(time, zone).ToString(format + "zzz", CultureInfo.InvariantCulture);
    }
}
