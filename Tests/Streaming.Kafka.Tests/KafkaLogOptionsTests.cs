namespace ClickAggregator.Streaming.Kafka.Tests;

public class KafkaLogOptionsTests
{
    [Fact]
    public void Only_the_brokers_have_to_be_named()
    {
        var options = new KafkaLogOptions();
        Assert.Equal(["KafkaLogOptions.BootstrapServers must name at least one broker as host:port"], options.Validate());
        options.BootstrapServers = "kafka-1:9092,kafka-2:9092";
        Assert.Empty(options.Validate());

        Assert.Equal("clicks", options.Topic);
        Assert.Equal(4, options.Partitions);
        Assert.Equal(-1, options.ReplicationFactor);
        Assert.Equal(TimeSpan.FromDays(7), options.Retention);
        Assert.Empty(options.Client);
        Assert.Equal(1 << 20, options.PartitionFetchBytes);
        Assert.Equal(16 << 20, options.FetchBytes);
        Assert.Equal(8 << 20, options.QueueBytes);
        Assert.Equal(TimeSpan.FromMilliseconds(100), options.FetchWait);
        Assert.Equal(TimeSpan.FromSeconds(10), options.RequestTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), options.StallTimeout);
        Assert.Equal(TimeSpan.FromSeconds(90), options.KeepClients);
    }

    [Fact]
    public void All_faults_are_reported_at_once()
    {
        var options = new KafkaLogOptions
        {
            Topic = "clicks of today",
            Partitions = 0,
            ReplicationFactor = 0,
            Retention = TimeSpan.Zero,
            PartitionFetchBytes = 1,
            FetchBytes = 0,
            QueueBytes = 0,
            FetchWait = TimeSpan.Zero,
            RequestTimeout = TimeSpan.Zero,
            StallTimeout = TimeSpan.Zero,
            KeepClients = TimeSpan.FromDays(2),
            Client = { ["group.id"] = "g", ["fetch.max.bytes"] = "1", ["isolation.level"] = "read_uncommitted", ["sasl.pasword"] = "x" },
        };
        Assert.Equal(
            [
                "KafkaLogOptions.BootstrapServers must name at least one broker as host:port",
                "KafkaLogOptions.Topic must be 1 to 249 of the characters a-z A-Z 0-9 . _ -",
                "KafkaLogOptions.Partitions must be between 1 and 10,000",
                "KafkaLogOptions.ReplicationFactor must be -1 (as the brokers are set) or between 1 and 100",
                "KafkaLogOptions.Retention must be at least 1 minute",
                "KafkaLogOptions.PartitionFetchBytes must be between 1 KiB and 512 MiB",
                "KafkaLogOptions.FetchBytes must be between PartitionFetchBytes and 512 MiB",
                "KafkaLogOptions.QueueBytes must be between 64 KiB and 1 GiB",
                "KafkaLogOptions.FetchWait must be between 10 ms and 5 s",
                "KafkaLogOptions.RequestTimeout must be between 100 ms and 5 minutes",
                "KafkaLogOptions.StallTimeout must be between 1 s and 1 hour",
                "KafkaLogOptions.KeepClients must be between 0 and 1 day",
                "KafkaLogOptions.Client:fetch.max.bytes is set by KafkaLogOptions.FetchBytes",
                "KafkaLogOptions.Client:group.id must be left to the log: its promises rest on it",
                "KafkaLogOptions.Client:isolation.level must be left to the log: its promises rest on it",
                "KafkaLogOptions.Client:sasl.pasword is not accepted by librdkafka: No such configuration property: \"sasl.pasword\"",
            ],
            options.Validate());
    }

    [Fact]
    public void A_log_is_not_made_of_options_with_faults()
    {
        var fault = Assert.Throws<ArgumentException>(() => new KafkaPartitionLog(new KafkaLogOptions { Partitions = 0 }));
        Assert.Contains("KafkaLogOptions.BootstrapServers must", fault.Message, StringComparison.Ordinal);
        Assert.Contains("KafkaLogOptions.Partitions must", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compression.type", "zstd")]
    [InlineData("security.protocol", "sasl_ssl")]
    [InlineData("client.id", "counter")]
    [InlineData("check.crcs", "false")]
    [InlineData("debug", "fetch")]
    public void Settings_of_the_client_library_pass(string name, string value) =>
        Assert.Empty(new KafkaLogOptions { BootstrapServers = "k:9092", Client = { [name] = value } }.Validate());

    [Fact]
    public void A_setting_with_an_unfit_value_is_named_with_the_reason()
    {
        string fault = Assert.Single(new KafkaLogOptions { BootstrapServers = "k:9092", Client = { ["socket.timeout.ms"] = "soon" } }.Validate());
        Assert.StartsWith("KafkaLogOptions.Client:socket.timeout.ms is not accepted by librdkafka: ", fault, StringComparison.Ordinal);
        Assert.Contains("\"socket.timeout.ms\"", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sasl.password")]
    [InlineData("ssl.key.password")]
    [InlineData("ssl.key.pem")]
    [InlineData("ssl.keystore.password")]
    [InlineData("sasl.oauthbearer.client.secret")]
    [InlineData("sasl.oauthbearer.config")]
    public void Secrets_are_never_printed(string name)
    {
        var options = new KafkaLogOptions { BootstrapServers = "k:9092", Client = { [name] = "hunter2", ["client.id"] = "shown" } };
        Assert.DoesNotContain("hunter2", options.ToString(), StringComparison.Ordinal);
        Assert.Contains($"{name}=***", options.ToString(), StringComparison.Ordinal);
        Assert.Contains("client.id=shown", options.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", string.Concat(options.Validate()), StringComparison.Ordinal);
        var fault = Record.Exception(() => new Kafka.Native.NativeClient(
            "t", new Dictionary<string, string> { [name + ".x"] = "hunter2" }, new SeldomSaid(TimeProvider.System), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        Assert.DoesNotContain("hunter2", fault!.ToString(), StringComparison.Ordinal);
    }
}
