using ClickAggregator.Clicks;
using ClickAggregator.Settings;

namespace ClickAggregator.Silo.Settings;

/// <summary><c>Duplicates:*</c>, <c>Batch:*</c>, <c>Rollups</c>, <c>Retention:*</c>: what is counted and how long it is kept.</summary>
public sealed class CountingSettings
{
    public required TimeSpan DuplicateHorizon { get; init; }

    /// <summary>In each partition.</summary>
    public required int DuplicateMaxIds { get; init; }

    public required TimeSpan BatchInterval { get; init; }
    public required int BatchMaxRecords { get; init; }

    public required RollupSet Rollups { get; init; }

    public required TimeSpan RetentionMinutes { get; init; }

    /// <summary>Null: for ever.</summary>
    public required TimeSpan? RetentionDays { get; init; }

    public static CountingSettings Read(SettingReader reader)
    {
        var settings = new CountingSettings
        {
            DuplicateHorizon = reader.Duration("Duplicates:Horizon", TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(1), TimeSpan.FromDays(7),
                "a click id that comes again within this log time is dropped at once"),
            DuplicateMaxIds = reader.Number("Duplicates:MaxIds", 4_000_000, 1_000, 64_000_000, "remembered ids, in each partition"),
            BatchInterval = reader.Duration("Batch:Interval", TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1),
                "how often counts are written"),
            BatchMaxRecords = reader.Number("Batch:MaxRecords", 500_000, 1, 10_000_000, "the most records in one batch"),
            Rollups = ReadRollups(reader),
            RetentionMinutes = reader.Duration("Retention:Minutes", TimeSpan.FromHours(48), TimeSpan.FromHours(1), TimeSpan.FromDays(3_650),
                "how long counts by the minute are kept"),
            RetentionDays = reader.DurationOrForEver("Retention:Days", TimeSpan.FromDays(1), TimeSpan.FromDays(36_500),
                "how long counts by the hour and day are kept"),
        };
        if (settings.RetentionDays < settings.RetentionMinutes)
        {
            reader.Fault("Retention:Days", "must be at least Retention:Minutes");
        }

        return settings;
    }

    private static RollupSet ReadRollups(SettingReader reader)
    {
        IReadOnlyList<string> texts = reader.List("Rollups", [.. RollupSet.Default.Select(rollup => rollup.ToString())], 16,
            "total, kind, target, campaign, each optionally |country, |device, |country|device", "what clicks are added up by");
        if (RollupSet.TryParse(texts, out RollupSet? rollups, out IReadOnlyList<string> faults))
        {
            return rollups;
        }

        foreach (string fault in faults)
        {
            reader.Fault("Rollups", fault);
        }

        return RollupSet.Default;
    }
}
