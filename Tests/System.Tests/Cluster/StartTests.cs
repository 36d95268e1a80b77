using ClickAggregator.Adapters.Cassandra;
using ClickAggregator.Persistence.Cassandra.Cql;
using ClickAggregator.Servers;
using ClickAggregator.SystemTests.Programs;

namespace ClickAggregator.SystemTests.Cluster;

/// <summary>What does not start says why, and what to do.</summary>
public class StartTests(KafkaServer kafka, CassandraServer cassandra)
{
    [Fact]
    public async Task A_silo_without_settings_names_all_that_it_lacks()
    {
        (int code, string output) = await SiloProcess.RunAsync("--Batch:Interval=never");
        Assert.Equal(2, code);
        Assert.Contains("Kafka:BootstrapServers must name the brokers", output, StringComparison.Ordinal);
        Assert.Contains("Cassandra:ContactPoints must name nodes", output, StringComparison.Ordinal);
        Assert.Contains("S3:Bucket must name a bucket", output, StringComparison.Ordinal);
        Assert.Contains("Batch:Interval must be a duration", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_API_with_a_store_of_many_and_a_log_of_its_own_is_refused()
    {
        using var data = new DataFolder();
        (int code, string output) = await ApiProcess.RunAsync("--data", data.Path, "--Cassandra:ContactPoints=127.0.0.1");
        Assert.Equal(2, code);
        Assert.Contains("silos that share a store must share a log", output, StringComparison.Ordinal);
    }

    [Fact(Explicit = true)]
    public async Task A_silo_refuses_tables_that_are_two_versions_ahead_and_takes_those_that_are_one()
    {
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        await cluster.StartSilosAsync(1);
        await cluster.StopAsync(cluster.Silos[0]);
        await SetVersionAsync(cluster, CassandraSchema.Clicks.Current + 2);
        (int code, string output) = await SiloProcess.RunAsync(cluster.Settings);
        Assert.Equal(2, code);
        Assert.Contains("works beside the next version and no later one", output, StringComparison.Ordinal);
        await SetVersionAsync(cluster, CassandraSchema.Clicks.Current + 1);
        await cluster.StartSilosAsync(1);
    }

    [Fact]
    public async Task A_silo_trusts_the_authority_it_is_given_and_no_other()
    {
        await using ClusterPrograms cluster = await ClusterPrograms.NewAsync(kafka, cassandra);
        Assert.SkipWhen(cassandra.CaFile.Length == 0, "needs the file of the authority: CASSANDRA_CA_FILE");
        using var folder = new DataFolder();
        await File.WriteAllTextAsync(folder.File("other.pem"), Certificates.NewAuthority("another").ExportCertificatePem());
        // No certificate becomes another one by waiting for it.
        (int code, string output) = await SiloProcess.RunAsync(
            [.. cluster.Settings, "--Cassandra:Tls:Enabled=true", $"--Cassandra:Tls:CaFile={folder.File("other.pem")}"]);
        Assert.Equal(2, code);
        Assert.Contains($"which is not in {folder.File("other.pem")}", output, StringComparison.Ordinal);
        await cluster.StartSilosAsync(1, "--Cassandra:Tls:Enabled=true", $"--Cassandra:Tls:CaFile={cassandra.CaFile}");
    }

    private async Task SetVersionAsync(ClusterPrograms cluster, int version)
    {
        var options = new CqlOptions { Port = cassandra.Port };
        options.ContactPoints.Add((await cassandra.ContactPointsAsync()).Split(',')[0]);
        await using CqlDataSource cql = CqlDataSource.Create(options);
        var put = new CqlStatement($"INSERT INTO {CqlIdentifier.Parse(cluster.Keyspace)}.schema_versions (part, version) VALUES (?, ?)");
        await cql.ExecuteAsync(put.Bind("clicks", version), TestContext.Current.CancellationToken);
    }
}
