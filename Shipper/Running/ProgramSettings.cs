using ClickAggregator.ClickLog;
using ClickAggregator.ClickLog.Watch;
using ClickAggregator.Clicks;
using ClickAggregator.Settings;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Shipper.Running;

/// <summary>Every setting of the program, read and checked once at its start.</summary>
internal sealed class ProgramSettings
{
    public static readonly ProgramNames Names = new()
    {
        // Not Limits: most of them are the API's, and the two may share an environment.
        Sections = ["DataDirectory", "Watch", "ClickLog", "Kafka", "Shipper", "Shutdown"],
        Others = ["Kafka:DeadLetterTopic", "Kafka:ReplayTopic"],
    };

    public required ClickLogOptions Log { get; init; }

    public required WatchOptions Watch { get; init; }

    public required ShipperOptions Ship { get; init; }

    /// <summary>How long stopping may take.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    /// <summary>Reads everything; the faults are in the reader.</summary>
    public static ProgramSettings Read(SettingReader reader)
    {
        string data = Path.GetFullPath(reader.Text(
            "DataDirectory", "shipper-data", "where clicks wait for Kafka, and how far each file is read", "--data", "path"));
        IReadOnlyList<string> files = reader.List(
            "Watch:Files", [], 1_000, "paths or globs", "NDJSON log files to follow; may be repeated, needed", "--watch");
        if (files.Count == 0)
        {
            reader.Fault("Watch:Files", "must name the log files to follow (--watch '/var/log/app/*.ndjson')");
        }

        var log = ClickLogSettings.Read(reader, "shipped", "reading of files pauses");
        var kafka = KafkaSettings.Read(reader, "Kafka's brokers, where the clicks are shipped to; needed");
        ShipperOptions? ship = ShipSettings.Read(reader, kafka, leastPartitions: 1);
        if (ship is null)
        {
            reader.Fault("Kafka:BootstrapServers", "must name the brokers to ship to (--Kafka:BootstrapServers=host:9092)");
        }

        long lineBytes = reader.Size("Limits:LineBytes", 16L << 10, 256, ClickParser.MaxLineBytes, "one click: a longer line goes to the dead letters");
        TimeSpan shutdown = reader.Duration("Shutdown:Timeout", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1),
            TimeSpan.FromMinutes(10), "how long stopping may take; what is left is shipped meanwhile");
        return new ProgramSettings
        {
            Log = new ClickLogOptions
            {
                Directory = data,
                Partitions = log.Partitions,
                SegmentBytes = log.SegmentBytes,
                Retention = log.Retention,
                MaxBytes = log.MaxBytes,
            },
            Watch = new WatchOptions { Patterns = files, DeadLetterDirectory = Path.Combine(data, "dead-letters"), LineBytes = (int)lineBytes },
            Ship = ship ?? new ShipperOptions { BootstrapServers = "" },
            ShutdownTimeout = shutdown,
        };
    }

    /// <summary>The names, defaults and ranges of all settings.</summary>
    public static IReadOnlyList<SettingRow> Table() => SettingReader.TableOf(reader => Read(reader));
}
