using System.Globalization;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>What a JSON answer says in fields beside its rows; beside a table it is said in headers.</summary>
internal static class AnswerHeaders
{
    public const string NextCursor = "X-Next-Cursor";

    /// <summary>Of an export: it holds every click that the log took before.</summary>
    public const string ArchivedUntil = "X-Archived-Until";

    public const string RangeFrom = "X-From";
    public const string RangeTo = "X-To";
    private const string CountedUntil = "X-Counted-Until";
    private const string LagSeconds = "X-Lag-Seconds";
    private const string Incomplete = "X-Incomplete";
    private const string FinalUntil = "X-Final-Until";
    private const string Version = "X-Version";
    private const string Exact = "X-Exact";
    private const string ErrorBound = "X-Error-Bound";

    /// <summary>All of them: a page of another origin may read only headers that are named to it.</summary>
    public static string[] All { get; } = [NextCursor, RangeFrom, RangeTo, CountedUntil, LagSeconds, FinalUntil, Version, Incomplete, Exact, ErrorBound, ArchivedUntil];

    /// <summary>The range that was used, and until when its numbers are complete.</summary>
    public static void Write(IHeaderDictionary headers, QueryContext query, QueryRange range, SeriesSums sums)
    {
        headers[RangeFrom] = AnswerFields.Time(sums.From, range.Zone);
        headers[RangeTo] = AnswerFields.Time(sums.To, range.Zone);
        if (sums.CountedUntil != 0)
        {
            headers[CountedUntil] = AnswerFields.Moment(sums.CountedUntil, range.Zone);
            headers[LagSeconds] = AnswerFields.Lag(query, sums).ToString(CultureInfo.InvariantCulture);
        }

        if (Finality.Until(sums) is long until)
        {
            headers[FinalUntil] = AnswerFields.Time(until, range.Zone);
        }

        if (Finality.Version(sums) is long version)
        {
            headers[Version] = version.ToString(CultureInfo.InvariantCulture);
        }

        if (sums.Incomplete)
        {
            headers[Incomplete] = "true";
        }
    }

    /// <summary>Whether a ranking is proved.</summary>
    public static void WriteExactness(IHeaderDictionary headers, TopTargets top)
    {
        headers[Exact] = top.Exact ? "true" : "false";
        headers[ErrorBound] = top.ErrorBound.ToString(CultureInfo.InvariantCulture);
    }
}
