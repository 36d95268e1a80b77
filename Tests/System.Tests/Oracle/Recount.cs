using System.Text.Json;

namespace ClickAggregator.SystemTests.Oracle;

/// <summary>
/// Counts lines of clicks with a dictionary and System.Text.Json, sharing nothing with the product: what every answer
/// is held against.
/// </summary>
internal sealed class Recount
{
    private readonly HashSet<(string Ad, string Id)> _seen = [];

    /// <summary>Clicks per ad and minute since the epoch.</summary>
    public Dictionary<(string Ad, long Minute), long> ByAdMinute { get; } = [];

    public Dictionary<string, long> ByAd { get; } = [];

    public Dictionary<string, long> ByCampaign { get; } = [];

    public long Total { get; private set; }

    public long Duplicates { get; private set; }

    public static Recount Of(IEnumerable<string> lines)
    {
        var recount = new Recount();
        foreach (string line in lines)
        {
            recount.Add(line);
        }

        return recount;
    }

    public void Add(string line)
    {
        using var json = JsonDocument.Parse(line);
        string ad = json.RootElement.GetProperty("ad_id").GetString()!;
        string id = json.RootElement.GetProperty("click_id").GetString()!;
        if (!_seen.Add((ad, id)))
        {
            Duplicates++;
            return;
        }

        long minute = json.RootElement.GetProperty("timestamp").GetInt64() / 60_000;
        Total++;
        ByAd[ad] = ByAd.GetValueOrDefault(ad) + 1;
        ByAdMinute[(ad, minute)] = ByAdMinute.GetValueOrDefault((ad, minute)) + 1;
        if (json.RootElement.TryGetProperty("campaign_id", out JsonElement campaign))
        {
            ByCampaign[campaign.GetString()!] = ByCampaign.GetValueOrDefault(campaign.GetString()!) + 1;
        }
    }
}
