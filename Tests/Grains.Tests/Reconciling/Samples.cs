using System.Text;
using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Grains.Reconciling.Recount;

namespace ClickAggregator.Grains.Tests.Reconciling;

/// <summary>An archived click, as tests draw it.</summary>
internal sealed record Archived(
    long Offset, long Time, string Ad, string Id, string Campaign = "", string User = "", string Country = "", string Device = "", long? Appended = null, bool Duplicate = false, string Referrer = "")
{
    public int Hour => (int)(Time / 3_600_000);
}

/// <summary>Clicks, and what they should count, by plain dictionaries.</summary>
internal static class Samples
{
    /// <summary>2026-11-23 00:00 UTC.</summary>
    public const int Hour = 498_720;

    public static long At(int minute, int hour = Hour) => (hour * 3_600_000L) + (minute * 60_000L);

    public static ClickRows Rows(IEnumerable<Archived> clicks)
    {
        var rows = new ClickRows();
        foreach (Archived click in clicks)
        {
            rows.Add(
                new Click
                {
                    Kind = TargetKind.Ad,
                    TargetId = Encoding.UTF8.GetBytes(click.Ad),
                    ClickId = Encoding.UTF8.GetBytes(click.Id),
                    Timestamp = click.Time,
                    CampaignId = Encoding.UTF8.GetBytes(click.Campaign),
                    UserId = Encoding.UTF8.GetBytes(click.User),
                    Country = Encoding.UTF8.GetBytes(click.Country),
                    Device = Encoding.UTF8.GetBytes(click.Device),
                    Referrer = Encoding.UTF8.GetBytes(click.Referrer),
                },
                click.Offset,
                click.Appended ?? click.Time,
                click.Duplicate);
        }

        return rows;
    }

    /// <summary>What an hour should count, per series and minute.</summary>
    public static SortedDictionary<string, long[]> Expected(
        IEnumerable<Archived> clicks, int hour, long upto, RollupSet rollups, Func<Archived, bool>? taken = null, int? retentionDays = null)
    {
        var counts = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
        var seen = new HashSet<(string, string)>();
        foreach (Archived click in clicks.Where(click => click.Hour == hour && click.Offset < upto && !click.Duplicate).OrderBy(click => click.Offset))
        {
            if (retentionDays is int days && (click.Appended ?? click.Time) - click.Time > days * 86_400_000L)
            {
                continue;
            }

            if ((click.Id.Length > 0 && !seen.Add((click.Ad, click.Id))) || taken?.Invoke(click) == true)
            {
                continue;
            }

            foreach (Rollup rollup in rollups)
            {
                var name = rollup.Base switch
                {
                    RollupBase.Total => SeriesName.Total,
                    RollupBase.Kind => SeriesName.OfKind(TargetKind.Ad),
                    RollupBase.Target => SeriesName.OfTarget(TargetKind.Ad, click.Ad),
                    _ => SeriesName.OfCampaign(click.Campaign),
                };
                if (rollup.Base == RollupBase.Campaign && click.Campaign.Length == 0)
                {
                    continue;
                }

                name = rollup.ByCountry ? name.WithCountry(click.Country) : name;
                name = rollup.ByDevice ? name.WithDevice(click.Device) : name;
                if (!counts.TryGetValue(name.ToString(), out long[]? minutes))
                {
                    counts[name.ToString()] = minutes = new long[60];
                }

                minutes[click.Time / 60_000 % 60]++;
            }
        }

        return counts;
    }

    /// <summary>What a table holds that counts anything.</summary>
    public static void Add(HourTable table, SortedDictionary<string, long[]> to)
    {
        for (int number = 0; number < table.Count; number++)
        {
            if (table.Counts(number).Any(count => count != 0))
            {
                to.Add(table.Series(number), table.Counts(number));
            }
        }
    }
}
