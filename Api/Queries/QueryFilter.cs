using ClickAggregator.Api.Ledger;
using ClickAggregator.Clicks;
using ClickAggregator.Grains;

namespace ClickAggregator.Api.Queries;

/// <summary>What narrows a question down, and by what it is divided.</summary>
/// <param name="Country">Two letters, upper-case; null for all.</param>
/// <param name="Device">A device; null for all.</param>
/// <param name="GroupBy"><c>country</c>, <c>device</c> or null.</param>
internal sealed record QueryFilter(string? Country, string? Device, string? GroupBy)
{
    /// <summary>The parameters that make a filter.</summary>
    public static readonly string[] Names = ["country", "device", "campaign_id", "group_by"];

    public static QueryFilter None { get; } = new(null, null, null);

    /// <summary>What follows a series' name.</summary>
    public string Suffix => (Country is null ? "" : "|country:" + Country) + (Device is null ? "" : "|device:" + Device);

    /// <exception cref="QueryFaultException">A value is not right.</exception>
    public static QueryFilter Read(Func<string, string?> value)
    {
        if (value("campaign_id") is not null)
        {
            throw new QueryFaultException(
                "rollup_not_enabled", "campaign_id", "clicks of one target in one campaign are not added up; ask /v1/campaigns/{id}/clicks for a whole campaign");
        }

        string? country = value("country")?.ToUpperInvariant();
        if (country is not null && !IdRules.IsCountry(country))
        {
            throw new QueryFaultException("invalid_parameter", "country", "'country' is two letters");
        }

        string? device = value("device");
        if (device is not null && !IdRules.IsDevice(device))
        {
            throw new QueryFaultException("invalid_parameter", "device", "'device' is 1 to 32 characters of A-Z a-z 0-9 . _ ~ : -");
        }

        string? groupBy = value("group_by");
        if (groupBy is not (null or "country" or "device"))
        {
            throw new QueryFaultException("invalid_parameter", "group_by", "'group_by' is country or device");
        }

        return (groupBy == "country" && country is not null) || (groupBy == "device" && device is not null)
            ? throw new QueryFaultException("invalid_parameter", "group_by", $"'group_by={groupBy}' does not go with '{groupBy}='")
            : new QueryFilter(country, device, groupBy);
    }

    /// <summary>Reads <c>country:US</c> or <c>device:mobile</c>, as the classic forms give it.</summary>
    public static QueryFilter ReadClassic(string? filter)
    {
        string[] parts = filter?.Split(':', 2) ?? [];
        return parts switch
        {
            [] => None,
            ["country" or "device", _] => Read(name => name == parts[0] ? parts[1] : null),
            _ => throw new QueryFaultException("invalid_parameter", "filter", "'filter' is country:US or device:mobile"),
        };
    }

    /// <summary>Whether the rollups answer it, over the whole range.</summary>
    /// <param name="query">The question.</param>
    /// <param name="of">What is asked for.</param>
    /// <param name="range">The range.</param>
    /// <param name="version">The version that is asked for; null for the numbers of now.</param>
    /// <exception cref="QueryFaultException">They do not; it names the one that would, or since when it does.</exception>
    /// <exception cref="NotFinalException">They do, and did not at that version.</exception>
    public async ValueTask RequireAsync(QueryContext query, RollupBase of, QueryRange range, long? version = null)
    {
        Rollup needed = Require(query, of);
        IReadOnlyDictionary<string, RollupStart> starts = await query.Series.RollupStartsAsync(query.Cancelled);
        if (starts.Count == 0)
        {
            return; // nothing is counted yet
        }

        if (!starts.TryGetValue(needed.ToString(), out RollupStart? start))
        {
            throw new QueryFaultException("rollup_not_enabled", null, $"nothing is counted by the rollup {needed} yet: silos need it in their setting Rollups, too");
        }

        (int from, int to) = Hours.Of(range);
        if (!start.Covers(from, to))
        {
            throw new QueryFaultException(
                "rollup_not_enabled", null,
                $"the rollup {needed} was switched on later: it is whole from {AnswerFields.Time(start.WholeFrom * 60L, range.Zone)} on; rebuild-rollup makes up for the time before, as far as the archive has it");
        }

        if (from < start.Hour && version < start.RebuiltAt)
        {
            throw new NotFinalException($"the rollup {needed} was switched on later, and rebuilt at version {start.RebuiltAt}: no version before has its numbers");
        }
    }

    /// <summary>Whether there is a rollup for it, since whenever.</summary>
    /// <exception cref="QueryFaultException">There is none; it names the one that would do.</exception>
    public Rollup Require(QueryContext query, RollupBase of)
    {
        var needed = new Rollup(of, Country is not null || GroupBy == "country", Device is not null || GroupBy == "device");
        if (!query.Rollups.Contains(needed))
        {
            throw new QueryFaultException(
                "rollup_not_enabled", null, $"this is not added up: it needs the rollup {needed} (the setting Rollups has {query.Rollups}); clicks count under it from then on");
        }

        return needed;
    }
}
