using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ClickAggregator.Grains.Archive;

/// <summary>Says, once a minute, that the archive trails so far that the log will forget records before they are archived.</summary>
internal sealed partial class ArchiveAlarm(ArchiveOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan s_every = TimeSpan.FromMinutes(1);
    private long _said;

    /// <summary>Looks at a chain; true where it said something.</summary>
    public bool Look(ArchiveLag lag)
    {
        if (options.LogRetention is not { } retention || lag.Seconds <= retention.TotalSeconds / 2 || lag.Seconds <= options.MaxAge.TotalSeconds
            || (_said != 0 && time.GetElapsedTime(_said) < s_every))
        {
            return false;
        }

        _said = time.GetTimestamp();
        LogTrails(
            logger, lag.Chain.Partition, lag.Records, Text(TimeSpan.FromSeconds(lag.Seconds)), Text(retention), lag.Detail ?? "the archive is slower than the clicks");
        return true;
    }

    private static string Text(TimeSpan span) =>
        string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalHours:D2}:{span.Minutes:D2}:{span.Seconds:D2}");

    [LoggerMessage(EventId = 2414, Level = LogLevel.Warning, Message = "partition {Partition}: {Records} records are not archived, the first since {Lag}, and the log forgets records after {Retention}; then they are lost to the archive ({Detail})")]
    private static partial void LogTrails(ILogger logger, int partition, long records, string lag, string retention, string detail);
}
