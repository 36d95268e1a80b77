namespace ClickAggregator.Api.Settings;

/// <summary><c>Duplicates:*</c>, <c>Batch:*</c>, <c>Rollups</c>, <c>Retention:*</c>: what is counted and how long it is kept.</summary>
internal sealed class CountingSettings
{
    private static readonly string[] PlainRollups = ["total", "kind", "target", "campaign"];

    public required TimeSpan DuplicateHorizon { get; init; }

    /// <summary>In each partition.</summary>
    public required int DuplicateMaxIds { get; init; }

    public required TimeSpan BatchInterval { get; init; }
    public required int BatchMaxRecords { get; init; }

    /// <summary>As typed; each is a base with an optional breakdown, e.g. <c>target|country</c>.</summary>
    public required IReadOnlyList<string> Rollups { get; init; }

    public required TimeSpan RetentionMinutes { get; init; }

    /// <summary>Null: for ever.</summary>
    public required TimeSpan? RetentionDays { get; init; }

    public static CountingSettings Read(SettingReader reader)
    {
        var settings = new CountingSettings
        {
            DuplicateHorizon = reader.Duration("Duplicates:Horizon", TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(1), TimeSpan.FromDays(7),
                "a click id that comes again within this log time is dropped at once"),
            DuplicateMaxIds = reader.Number("Duplicates:MaxIds", 4_000_000, 1_000, 200_000_000, "remembered ids, in each partition"),
            BatchInterval = reader.Duration("Batch:Interval", TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1),
                "how often counts are written"),
            BatchMaxRecords = reader.Number("Batch:MaxRecords", 500_000, 1, 10_000_000, "the most records in one batch"),
            Rollups = reader.List("Rollups", PlainRollups, 16, "total, kind, target, campaign, each optionally |country, |device, |country|device",
                "what clicks are added up by"),
            RetentionMinutes = reader.Duration("Retention:Minutes", TimeSpan.FromHours(48), TimeSpan.FromHours(1), TimeSpan.FromDays(3_650),
                "how long counts by the minute are kept"),
            RetentionDays = reader.DurationOrForEver("Retention:Days", TimeSpan.FromDays(1), TimeSpan.FromDays(36_500),
                "how long counts by the hour and day are kept"),
        };
        foreach (string rollup in settings.Rollups)
        {
            if (RollupFault(rollup) is { } fault)
            {
                reader.Fault("Rollups", fault);
            }
        }

        if (settings.RetentionDays < settings.RetentionMinutes)
        {
            reader.Fault("Retention:Days", "must be at least Retention:Minutes");
        }

        return settings;
    }

    private static string? RollupFault(string rollup)
    {
        string[] parts = rollup.Split('|', 2);
        bool known = Array.IndexOf(PlainRollups, parts[0]) >= 0
            && (parts.Length == 1 || parts[1] is "country" or "device" or "country|device");
        return known ? null : $"must be total, kind, target or campaign, each optionally with |country, |device or |country|device, and has \"{rollup}\"";
    }
}
