using System.Globalization;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>What a JSON answer says in fields beside its rows; beside a table it is said in headers.</summary>
internal static class AnswerHeaders
{
    public const string NextCursor = "X-Next-Cursor";

    private const string From = "X-From";
    private const string To = "X-To";
    private const string CountedUntil = "X-Counted-Until";
    private const string Incomplete = "X-Incomplete";
    private const string Exact = "X-Exact";
    private const string ErrorBound = "X-Error-Bound";

    /// <summary>All of them: a page of another origin may read only headers that are named to it.</summary>
    public static string[] All { get; } = [NextCursor, From, To, CountedUntil, Incomplete, Exact, ErrorBound];

    /// <summary>The range that was used, and until when its numbers are complete.</summary>
    public static void Write(IHeaderDictionary headers, QueryRange range, SeriesSums sums)
    {
        headers[From] = AnswerFields.Time(sums.From, range.Zone);
        headers[To] = AnswerFields.Time(sums.To, range.Zone);
        if (sums.CountedUntil != 0)
        {
            headers[CountedUntil] = AnswerFields.Moment(sums.CountedUntil, range.Zone);
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
