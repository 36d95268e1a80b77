namespace ClickAggregator.Settings;

/// <summary><c>ClickLog:*</c>: the click log on local disk.</summary>
public sealed class ClickLogSettings
{
    /// <summary>Fixed when the log is created: it decides where a target's clicks are.</summary>
    public required int Partitions { get; init; }

    public required long SegmentBytes { get; init; }

    /// <summary>A segment is removed when it is needed no more and older than this.</summary>
    public required TimeSpan Retention { get; init; }

    /// <summary>At this size of the whole log no more clicks are taken.</summary>
    public required long MaxBytes { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="reader">Where they are read from.</param>
    /// <param name="needed">What a log file has to be before it may go: <c>counted</c>, <c>shipped</c>.</param>
    /// <param name="whenFull">What happens at <see cref="MaxBytes"/>.</param>
    public static ClickLogSettings Read(SettingReader reader, string needed, string whenFull)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var settings = new ClickLogSettings
        {
            Partitions = reader.Number("ClickLog:Partitions", 4, 1, 256, "how many partitions a new log gets"),
            SegmentBytes = reader.Size("ClickLog:SegmentBytes", 256L << 20, 1L << 20, 1L << 30, "a log file is closed at this size"),
            Retention = reader.Duration("ClickLog:Retention", TimeSpan.FromHours(24), TimeSpan.FromSeconds(1), TimeSpan.FromDays(3_650),
                $"{needed} log files older than this are removed"),
            MaxBytes = reader.Size("ClickLog:MaxBytes", 50L << 30, 1L << 20, 1L << 50, $"at this size of the whole log {whenFull}"),
        };
        if (settings.MaxBytes < (settings.Partitions + 1) * settings.SegmentBytes)
        {
            // The file that a partition writes to is never removed: these alone could fill the log, and it would stay full.
            reader.Fault("ClickLog:MaxBytes", "must have room for one more than a file of ClickLog:SegmentBytes for each of ClickLog:Partitions");
        }

        return settings;
    }
}
