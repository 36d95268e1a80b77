namespace ClickAggregator.Api.Settings;

/// <summary><c>ClickLog:*</c>: the click log on local disk.</summary>
internal sealed class ClickLogSettings
{
    /// <summary>Fixed when the log is created: it decides where a target's clicks are.</summary>
    public required int Partitions { get; init; }

    public required long SegmentBytes { get; init; }

    /// <summary>A segment is removed when it is counted and older than this.</summary>
    public required TimeSpan Retention { get; init; }

    /// <summary>At this size of the whole log, clicks are refused with 503 <c>log_full</c>.</summary>
    public required long MaxBytes { get; init; }

    public static ClickLogSettings Read(SettingReader reader)
    {
        var settings = new ClickLogSettings
        {
            Partitions = reader.Number("ClickLog:Partitions", 4, 1, 256, "how many partitions a new log gets"),
            SegmentBytes = reader.Size("ClickLog:SegmentBytes", 256L << 20, 1L << 20, 1L << 30, "a log file is closed at this size"),
            Retention = reader.Duration("ClickLog:Retention", TimeSpan.FromHours(24), TimeSpan.FromSeconds(1), TimeSpan.FromDays(3_650),
                "counted log files older than this are removed"),
            MaxBytes = reader.Size("ClickLog:MaxBytes", 50L << 30, 1L << 20, 1L << 50, "at this size of the whole log clicks are refused (503 log_full)"),
        };
        if (settings.MaxBytes < settings.SegmentBytes)
        {
            reader.Fault("ClickLog:MaxBytes", "must be at least ClickLog:SegmentBytes");
        }

        return settings;
    }
}
