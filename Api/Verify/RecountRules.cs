using ClickAggregator.Silo.Settings;

namespace ClickAggregator.Api.Verify;

/// <summary>The settings that decide what counts, and under which series: read from the settings, not from the grains.</summary>
/// <param name="Rollups">As configured, for example <c>target|country</c>.</param>
/// <param name="Horizon">How long an id may not be repeated, in log time.</param>
/// <param name="MaxIds">Within how many records.</param>
/// <param name="RetentionDays">Days after which a click is too old to be counted; null for never.</param>
internal sealed record RecountRules(IReadOnlyList<string> Rollups, TimeSpan Horizon, int MaxIds, int? RetentionDays)
{
    /// <summary>The rules of the settings.</summary>
    public static RecountRules Of(CountingSettings settings) => new(
        [.. settings.Rollups.Select(rollup => rollup.ToString())],
        settings.DuplicateHorizon,
        settings.DuplicateMaxIds,
        settings.RetentionDays is TimeSpan days ? Math.Max(1, (int)days.TotalDays) : null);

    /// <summary>Whether the click was too old when it was appended.</summary>
    public bool Expires(long timestamp, long logTime) =>
        RetentionDays is int days && logTime - timestamp > days * 86_400_000L;

    /// <summary>The first hour of which the store still has all windows, and will have them tomorrow.</summary>
    public int FirstKeptHour(DateTimeOffset now) =>
        RetentionDays is int days ? (int)((now.ToUnixTimeSeconds() / 86_400) - days + 1) * 24 : int.MinValue;

    /// <summary>Since when each rollup is counted by; null where all are from the beginning.</summary>
    public CountedRollups? Counted { get; init; }

    /// <summary>Whether a stored window is not to be compared: nobody counts by its rollup, or not from its hour on.</summary>
    public bool LeavesOut(string series, int hour)
    {
        string first = series.Split('|')[0].Split(':')[0];
        string rollup = (first is "total" or "kind" or "campaign" ? first : "target")
            + (series.Contains("|country:", StringComparison.Ordinal) ? "|country" : "")
            + (series.Contains("|device:", StringComparison.Ordinal) ? "|device" : "");
        return !Rollups.Contains(rollup) || Counted?.IsWhole(rollup, hour) == false;
    }

    /// <summary>The series a click adds up under.</summary>
    /// <param name="click">The click.</param>
    /// <param name="hour">Its hour, where only rollups are wanted that are whole in it; null for all.</param>
    public IReadOnlyList<string> SeriesOf(RecountedClick click, int? hour = null)
    {
        var series = new List<string>(Rollups.Count);
        string kind = click.Kind;
        foreach (string rollup in Rollups)
        {
            if (hour is int at && Counted?.IsWhole(rollup, at) == false)
            {
                continue;
            }

            string[] parts = rollup.Split('|');
            string? name = parts[0] switch
            {
                "total" => "total",
                "kind" => "kind:" + kind,
                "target" => kind + ":" + click.Target,
                "campaign" when click.Campaign.Length > 0 => "campaign:" + click.Campaign,
                _ => null,
            };
            if (name is null)
            {
                continue;
            }

            if (parts.Contains("country"))
            {
                name += "|country:" + click.Country;
            }

            if (parts.Contains("device"))
            {
                name += "|device:" + click.Device;
            }

            series.Add(name);
        }

        return series;
    }
}
