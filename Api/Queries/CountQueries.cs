using System.Globalization;
using System.Text.Json;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>How often one thing was clicked.</summary>
internal static class CountQueries
{
    private const int MaxGroups = 256;
    private const int MaxListed = 100_000;

    public static readonly string[] Parameters = [.. QueryRange.Names, .. QueryFilter.Names, Finality.Parameter, "format"];

    public static async Task<IResult> AnswerAsync(QueryContext query, Subject subject)
    {
        var range = QueryRange.Read(query.Value, query.Now, query.Limits);
        var filter = QueryFilter.Read(query.Value);
        long? version = Finality.ReadVersion(query.Value);
        await filter.RequireAsync(query, subject.Base, range, version);
        if (filter.GroupBy is not null && range.Granularity is not null)
        {
            throw new QueryFaultException("invalid_parameter", "group_by", "'group_by' and 'granularity' are asked for apart");
        }

        SeriesSums sums = subject == Subject.Campaigns
            ? await Campaigns.SumAsync(query, range, filter, version)
            : await SumAsync(query, range, [subject.Series + filter.Suffix], version);
        SeriesCount count = sums.Counts[0];
        IReadOnlyList<(string? Value, long Clicks)>? groups = null;
        if (filter.GroupBy is not null)
        {
            (groups, sums) = await GroupsAsync(query, subject, range, filter, version, sums);
        }

        // The groups were read a moment later than the sum: the sum that is told is theirs.
        long clicks = groups is null ? count.Clicks : groups.Sum(group => group.Clicks);
        if (query.WantsCsv)
        {
            return groups is not null
                ? Answer.Csv(query, range, sums, [filter.GroupBy!, "clicks"], groups.Select(group => (string[])[group.Value ?? "", Number(group.Clicks)]))
                : range.Bounds is null
                    ? Answer.Csv(query, range, sums, ["from", "to", "clicks"], [[AnswerFields.Time(sums.From, range.Zone), AnswerFields.Time(sums.To, range.Zone), Number(clicks)]])
                    : Answer.Csv(query, range, sums, ["start", "clicks", "final"], PointRows(range, sums, count.Points!));
        }

        var urls = await ShownUrls.OfAsync(query, subject.Id is null ? null : subject.KindName, [subject.Id!]);
        return Answer.Json(json =>
        {
            WriteCount(json, query, range, filter, subject, sums, clicks, groups is null ? count.Points : null);
            if (subject.Id is not null)
            {
                urls.Write(json, subject.Id);
            }

            if (groups is not null)
            {
                json.WriteStartArray("groups");
                foreach ((string? value, long groupClicks) in groups)
                {
                    json.WriteStartObject();
                    json.WriteString("value", value);
                    json.WriteNumber("clicks", groupClicks);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }
        });
    }

    /// <summary>The points as rows of a table.</summary>
    public static IEnumerable<string[]> PointRows(QueryRange range, SeriesSums sums, long[] points)
    {
        bool[] final = AnswerFields.FinalPoints(range, sums);
        return points.Select((clicks, n) => (string[])[AnswerFields.Time(n == 0 ? sums.From : range.Bounds![n], range.Zone), Number(clicks), final[n] ? "true" : "false"]);
    }

    /// <summary>The whole answer of one subject.</summary>
    public static void WriteCount(
        Utf8JsonWriter json, QueryContext query, QueryRange range, QueryFilter filter, Subject subject, SeriesSums sums, long clicks, long[]? points)
    {
        subject.Write(json, filter);
        AnswerFields.WriteRange(json, range, sums);
        json.WriteString("granularity", range.Granularity?.ToString().ToLowerInvariant());
        json.WriteNumber("clicks", clicks);
        if (points is not null)
        {
            AnswerFields.WritePoints(json, range, sums, points);
        }

        AnswerFields.WriteProgress(json, query, range, sums);
    }

    /// <exception cref="QueryFaultException">Minutes are asked for where only quarter-hours are left.</exception>
    public static async Task<SeriesSums> SumAsync(QueryContext query, QueryRange range, IReadOnlyList<string> series, long? version = null)
    {
        await RequireMinutesAsync(query, range);
        return await query.Series.SumAsync(
            new SeriesRange(series, range.From, range.To, range.Bounds is null ? null : range.Bounds[..^1], version), query.Cancelled);
    }

    /// <exception cref="QueryFaultException">Minutes are asked for where only quarter-hours are left.</exception>
    public static async Task RequireMinutesAsync(QueryContext query, QueryRange range)
    {
        if (range.Granularity == Grains.Query.Granularity.Minute
            && await query.Series.MinutesFloorAsync(query.Cancelled) is int floor && range.From < floor * 60L)
        {
            throw new QueryFaultException(
                "granularity_unavailable", "granularity",
                $"minutes are kept from {AnswerFields.Time(floor * 60L, range.Zone)} on; before that ask by hour or day");
        }
    }

    private static async Task<(IReadOnlyList<(string? Value, long Clicks)> Groups, SeriesSums Sums)> GroupsAsync(
        QueryContext query, Subject subject, QueryRange range, QueryFilter filter, long? version, SeriesSums sums)
    {
        // |country comes before |device in a series' name, so a group by device within a country is a suffix of it.
        string dimension = "|" + filter.GroupBy + ":";
        string prefix = subject.Series + (filter is { GroupBy: "device", Country: not null } ? "|country:" + filter.Country : "") + dimension;
        string suffix = filter is { GroupBy: "country", Device: not null } ? "|device:" + filter.Device : "";
        var groups = new List<(string? Value, long Clicks)>();
        string? after = null;
        int listedInAll = 0;
        while (true)
        {
            // What is listed comes after the prefix and is longer than it: without its colon, so that absent values are in it.
            IReadOnlyList<string> listed = await query.Series.ListAsync(new SeriesList(prefix[..^1], range.From, range.To, after, 1000), query.Cancelled);
            string[] wanted = [.. listed.Where(series => IsGroup(series.AsSpan(prefix.Length), suffix))];
            if (wanted.Length > 0)
            {
                SeriesSums page = await query.Series.SumAsync(new SeriesRange(wanted, range.From, range.To, null, version), query.Cancelled);
                sums = sums with { Finality = Finality.Both(sums.Finality, page.Finality), Incomplete = sums.Incomplete || page.Incomplete };
                foreach (SeriesCount count in page.Counts.Where(count => count.Clicks > 0))
                {
                    string value = count.Series[prefix.Length..^suffix.Length];
                    groups.Add((value.Length == 0 ? null : value, count.Clicks));
                }
            }

            if (listed.Count < 1000)
            {
                break;
            }

            listedInAll += listed.Count;
            after = listedInAll < MaxListed ? listed[^1] : throw new QueryFaultException(
                "range_too_large", null, $"more than {MaxListed:N0} values were clicked in this range; take a shorter one");
        }

        groups = [.. groups.OrderByDescending(group => group.Clicks).ThenBy(group => group.Value, StringComparer.Ordinal)];
        return (groups.Count <= MaxGroups ? groups : WithOther(groups), sums);
    }

    /// <summary>The greatest groups, and all others as one.</summary>
    private static List<(string? Value, long Clicks)> WithOther(List<(string? Value, long Clicks)> groups)
    {
        const string other = "other";
        List<(string? Value, long Clicks)> shown = [.. groups.Where(group => group.Value != other).Take(MaxGroups)];
        shown.Add((other, groups.Sum(group => group.Clicks) - shown.Sum(group => group.Clicks)));
        return shown;
    }

    private static bool IsGroup(ReadOnlySpan<char> rest, string suffix) =>
        rest.EndsWith(suffix) && !rest[..^suffix.Length].Contains('|');

    internal static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
