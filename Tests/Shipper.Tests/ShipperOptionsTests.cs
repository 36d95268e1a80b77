namespace ClickAggregator.Shipper.Tests;

public class ShipperOptionsTests
{
    [Fact]
    public void The_defaults_are_these_and_valid()
    {
        var options = new ShipperOptions { BootstrapServers = "b:9092" };
        Assert.Equal(
            ("clicks", "clicks-positions", 4, null, TimeSpan.FromDays(7), ShipFormat.Compact),
            (options.Topic, options.PositionsTopicOrDefault, options.Partitions, options.ReplicationFactor, options.Retention, options.Format));
        Assert.Equal((TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(15), 100_000), (options.CommitInterval, options.TransactionTimeout, options.MaxTransactionRecords));
        Assert.Empty(options.Validate());
    }

    [Fact]
    public void All_faults_are_named_at_once() =>
        Assert.Equal(
            new[]
            {
                "ShipperOptions.BootstrapServers must name a broker",
                "ShipperOptions.Topic must be 1-249 characters of A-Z a-z 0-9 . _ -",
                "ShipperOptions.PositionsTopic must not be Topic",
                "ShipperOptions.PositionsTopic must be 1-249 characters of A-Z a-z 0-9 . _ -",
                "ShipperOptions.Partitions must be between 1 and 10,000",
                "ShipperOptions.ReplicationFactor must be at least 1",
                "ShipperOptions.Retention must be at least a minute",
                "ShipperOptions.CommitInterval must be between 10 ms and 10 s",
                "ShipperOptions.TransactionTimeout must be between 1 s and 15 min",
                "ShipperOptions.TransactionTimeout must be longer than CommitInterval",
                "ShipperOptions.MaxTransactionRecords must be between 1 and 10,000,000",
                "ShipperOptions.Client: acks cannot be set, what is promised rests on it",
            }.Order(StringComparer.Ordinal),
            new ShipperOptions
            {
                BootstrapServers = " ",
                Topic = "a b",
                PositionsTopic = "a b",
                Partitions = 0,
                ReplicationFactor = 0,
                Retention = TimeSpan.Zero,
                CommitInterval = TimeSpan.FromMinutes(1),
                TransactionTimeout = TimeSpan.Zero,
                MaxTransactionRecords = 0,
                Client = new Dictionary<string, string> { ["acks"] = "1", ["compression.type"] = "zstd" },
            }.Validate().Order(StringComparer.Ordinal));
}
