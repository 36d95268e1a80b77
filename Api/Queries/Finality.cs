using System.Globalization;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>What of an answer is final: recounted from the archive, and the same for ever under its version.</summary>
internal static class Finality
{
    /// <summary>The parameter that repeats an answer.</summary>
    public const string Parameter = "version";

    private const int HourMinutes = 60;

    /// <summary>The version that is asked for; null for the numbers of now.</summary>
    /// <exception cref="QueryFaultException">It is no version.</exception>
    public static long? ReadVersion(Func<string, string?> value)
    {
        string? text = value(Parameter);
        return text is null ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long version) ? version
            : throw new QueryFaultException("invalid_parameter", Parameter, "'version' is the version of an answer or of a closed month: a whole number, 0 for before anything was final");
    }

    /// <summary>A question that has no versions says so: the parameter is known, and works elsewhere.</summary>
    /// <exception cref="QueryFaultException">A version is asked for where there is none.</exception>
    public static void RefuseVersion(HttpRequest request, ReadOnlySpan<string> parameters)
    {
        if (HttpMethods.IsGet(request.Method) && request.Query.ContainsKey(Parameter) && !parameters.Contains(Parameter))
        {
            throw new QueryFaultException(
                "version_unavailable", Parameter,
                "only counts have versions (/v1/clicks/total, /v1/ads/{id}/clicks and the like; of up to 1,000 ids POST /v1/ads/query): rankings, lists and the ledger are told as they are now");
        }
    }

    /// <summary>Every hour of the range before this minute is final; null where the first one is not.</summary>
    public static long? Until(SeriesSums sums) => sums.Finality is { } finality && finality.FinalUntil > sums.From ? finality.FinalUntil : null;

    /// <summary>The version that the numbers stand at; null before anything was final.</summary>
    public static long? Version(SeriesSums sums) => sums.Finality is { Version: > 0 } finality ? finality.Version : null;

    /// <summary>Whether each span between two bounds is final: all hours that it touches are.</summary>
    /// <param name="finality">What is known; null for nothing, and then nothing is final.</param>
    /// <param name="bounds">Minutes since the epoch, ascending: where each span begins, and at last the end.</param>
    public static bool[] OfPoints(RangeFinality? finality, ReadOnlySpan<long> bounds)
    {
        bool[] final = new bool[bounds.Length - 1];
        int at = 0;
        for (int n = 0; finality is not null && n < final.Length; n++)
        {
            long firstHour = FloorHour(bounds[n]);
            long lastHour = FloorHour(bounds[n + 1] - 1);
            while (at < finality.Provisional.Count && finality.Provisional[at] < firstHour)
            {
                at++;
            }

            final[n] = lastHour < finality.ProvisionalFrom && (at == finality.Provisional.Count || finality.Provisional[at] > lastHour);
        }

        return final;
    }

    /// <summary>What is final of numbers that were read one after the other: they are of one version, or nothing is said.</summary>
    public static RangeFinality? Both(RangeFinality? one, RangeFinality? other) =>
        one is null || other is null || one.Version != other.Version ? null : new RangeFinality(
            Math.Min(one.FinalUntil, other.FinalUntil),
            one.Version,
            [.. one.Provisional.Union(other.Provisional).Order()],
            Math.Min(one.ProvisionalFrom, other.ProvisionalFrom));

    private static long FloorHour(long minute) => (long)Math.Floor(minute / (double)HourMinutes);
}
