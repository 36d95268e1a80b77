using ClickAggregator.Grains.Reconciling;
using ClickAggregator.Settings;
using ClickAggregator.Silo.Kafka;

namespace ClickAggregator.Silo.Settings;

/// <summary>Every setting of the program <c>Silo</c>, read and checked once at its start.</summary>
internal sealed class SiloSettings
{
    public static readonly ProgramNames Names = new()
    {
        Sections = ["Kafka", "Cassandra", "Cluster", "Duplicates", "Batch", "Rollups", "Retention", "Archive", "S3", "Reconciliation", "Shutdown"],

        // The API's, which may share an environment.
        Others = ["Kafka:PositionsTopic", "Kafka:Format"],
        HostNames = ["urls", "environment", "contentRoot", "applicationName"],
        HostSections = ["Logging", "Kestrel"],
        EnvironmentPrefix = "ASPNETCORE_",
    };

    /// <summary>Where health and metrics are.</summary>
    public required string Urls { get; init; }

    public required KafkaSiloOptions Kafka { get; init; }

    public required CassandraSettings Cassandra { get; init; }

    public required ClusterSettings Cluster { get; init; }

    public required SiloEndpointSettings Endpoint { get; init; }

    public required CountingSettings Counting { get; init; }

    public required ArchiveSettings Archive { get; init; }

    public required ReconciliationOptions Reconciliation { get; init; }

    /// <summary>How long stopping may take.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    /// <summary>Reads everything; the faults are in the reader. Only to be used if there is none.</summary>
    public static SiloSettings Read(SettingReader reader)
    {
        string urls = reader.Text("urls", "http://localhost:5090", "where health and metrics are", "--urls", "urls");
        var kafka = KafkaSettings.Read(reader, "Kafka's brokers, whose topic is counted; needed");
        KafkaSiloOptions? topics = KafkaTopicSettings.Read(reader, kafka, kafka.Partitions);
        if (topics is null)
        {
            reader.Fault("Kafka:BootstrapServers", "must name the brokers: silos that share a store must share a log");
        }

        var cassandra = CassandraSettings.Read(reader);
        if (cassandra is null && !reader.HasAny("Cassandra"))
        {
            reader.Fault("Cassandra:ContactPoints", "must name nodes of Cassandra, where silos find each other and keep the counts");
        }

        var cluster = ClusterSettings.Read(reader);
        var endpoint = SiloEndpointSettings.Read(reader);
        var counting = CountingSettings.Read(reader);
        var archive = ArchiveSettings.Read(reader, dataDirectory: null);
        ReconciliationOptions reconciliation = ReconciliationSettings.Read(reader);
        TimeSpan shutdown = reader.Duration("Shutdown:Timeout", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1),
            TimeSpan.FromMinutes(10), "how long stopping may take");
        return new SiloSettings
        {
            Urls = urls,
            Kafka = topics!,
            Cassandra = cassandra!,
            Cluster = cluster,
            Endpoint = endpoint,
            Counting = counting,
            Archive = archive,
            Reconciliation = reconciliation,
            ShutdownTimeout = shutdown,
        };
    }

    /// <summary>The names, defaults and ranges of all settings.</summary>
    public static IReadOnlyList<SettingRow> Table() => SettingReader.TableOf(reader => Read(reader));
}
