using ClickAggregator.Api.Keys;
using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Settings;
using ClickAggregator.Silo.Settings;
using Microsoft.Extensions.Configuration;

namespace ClickAggregator.Api.Settings;

/// <summary>Every setting, read and checked once at start. Who needs one takes its area from here.</summary>
internal sealed class ApiSettings
{
    /// <summary>Where the log, the store and all other files are; a full path.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Data of its own, grown from the bundled sample.</summary>
    public required bool Demo { get; init; }

    /// <summary>Where Kestrel listens, as given; one or several addresses divided by <c>;</c>.</summary>
    public required string Urls { get; init; }

    /// <summary>NDJSON log files or globs to follow, as typed.</summary>
    public required IReadOnlyList<string> WatchFiles { get; init; }

    public required ClickLogSettings ClickLog { get; init; }

    /// <summary>Null where the click log is what is counted.</summary>
    public required KafkaLogSettings? Kafka { get; init; }

    /// <summary>Null where this process counts by itself.</summary>
    public required CassandraSettings? Cassandra { get; init; }

    public required ClusterSettings Cluster { get; init; }

    public required CountingSettings Counting { get; init; }
    public required LimitSettings Limits { get; init; }
    public required RedirectSettings Redirect { get; init; }

    /// <summary>Keys that are set, beside those of the data directory.</summary>
    public required IReadOnlyList<ApiKey> Keys { get; init; }

    public required ArchiveSettings Archive { get; init; }

    /// <summary>Whether this process can read the archive: with silos of its own always; in a cluster where it was told which it is.</summary>
    public required bool ReadsArchive { get; init; }

    public required ReconciliationOptions Reconciliation { get; init; }

    /// <summary>Origins whose pages may call the API. Empty: none, and no CORS header is ever sent.</summary>
    public required IReadOnlyList<string> CorsOrigins { get; init; }

    /// <summary>How long stopping may take.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    /// <summary>Reads everything; the faults are in the reader.</summary>
    public static ApiSettings Read(SettingReader reader)
    {
        bool demo = reader.Flag("Demo:Enabled", "--demo", "a demonstration on data of its own: 90 days of clicks, then live ones");
        string data = reader.Text("DataDirectory", demo ? "data-demo" : "data",
            "where the log, the store and all else is kept; data-demo with --demo", "--data", "path");
        string urls = reader.Text("urls", BindRule.DefaultUrls, "where to listen; only this machine while there is no key (keys add makes one)", "--urls", "urls");
        IReadOnlyList<string> watch = reader.List("Watch:Files", [], 1_000, "paths or globs",
            "NDJSON log files to follow; may be repeated", "--watch");
        var clickLog = ClickLogSettings.Read(reader, "counted", "clicks are refused (503 log_full)");
        var kafka = KafkaLogSettings.Read(reader, clickLog.Partitions);
        var cassandra = CassandraSettings.Read(reader);
        var cluster = ClusterSettings.Read(reader);
        if (cassandra is not null && kafka is null)
        {
            reader.Fault("Cassandra:ContactPoints", "needs Kafka:BootstrapServers beside it: silos that share a store must share a log");
        }

        if (cassandra is not null && demo)
        {
            reader.Fault("Demo:Enabled", "is for a program by itself, and Cassandra:ContactPoints makes it one of a cluster");
        }

        var counting = CountingSettings.Read(reader);
        var limits = LimitSettings.Read(reader);
        string fullData = Path.GetFullPath(data);
        var archive = ArchiveSettings.Read(reader, fullData);
        ReconciliationOptions reconciliation = ReconciliationSettings.Read(reader);
        var redirect = RedirectSettings.Read(reader);
        IReadOnlyList<string> origins = reader.List("Cors:Origins", [], 100, "origins such as https://shop.example",
            "pages of these origins may call the API; none: only those of public keys, to post clicks");
        foreach (string origin in origins)
        {
            if (!KeyOrigin.TryRead(origin, out _))
            {
                reader.Fault("Cors:Origins", $"must be {KeyOrigin.Rule}, and has \"{origin}\"");
            }
        }

        IReadOnlyList<ApiKey> keys = KeySettings.Read(reader);
        TimeSpan shutdown = reader.Duration("Shutdown:Timeout", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1),
            TimeSpan.FromMinutes(10), "how long stopping may take");
        BindRule.Check(urls, reader);
        return new ApiSettings
        {
            DataDirectory = fullData,
            Demo = demo,
            Urls = urls,
            WatchFiles = watch,
            ClickLog = clickLog,
            Kafka = kafka,
            Cassandra = cassandra,
            Cluster = cluster,
            Counting = counting,
            Limits = limits,
            Redirect = redirect,
            Keys = keys,
            Archive = archive,
            ReadsArchive = cassandra is null || archive.S3 is not null || reader.HasAny("Archive"),
            Reconciliation = reconciliation,
            CorsOrigins = origins,
            ShutdownTimeout = shutdown,
        };
    }

    /// <summary>The names, defaults and ranges of all settings.</summary>
    public static IReadOnlyList<SettingRow> Table() => SettingReader.TableOf(reader => Read(reader));
}
