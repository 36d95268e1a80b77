namespace ClickAggregator.Shipper;

/// <summary>Where a click log is shipped to, and how.</summary>
public sealed record ShipperOptions
{
    // What the promises rest on is not for anybody to change.
    private static readonly string[] s_ours =
        ["bootstrap.servers", "transactional.id", "transaction.timeout.ms", "enable.idempotence", "acks", "partitioner", "isolation.level", "enable.auto.commit"];

    /// <summary>The brokers, <c>host:port</c>, separated by commas.</summary>
    public required string BootstrapServers { get; init; }

    /// <summary>The topic that clicks go to. Default <c>clicks</c>.</summary>
    public string Topic { get; init; } = "clicks";

    /// <summary>The compacted topic that says how far each log was shipped. Default <c>&lt;topic&gt;-positions</c>.</summary>
    public string? PositionsTopic { get; init; }

    /// <summary>Partitions of the topic, where it is made. Default 4, 1 to 10,000.</summary>
    public int Partitions { get; init; } = 4;

    /// <summary>Copies of each partition, where topics are made; null for what the brokers have as default.</summary>
    public short? ReplicationFactor { get; init; }

    /// <summary>How long the topic keeps clicks, where it is made. Default 7 days, at least a minute.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>What the values are. Default <see cref="ShipFormat.Compact"/>.</summary>
    public ShipFormat Format { get; init; }

    /// <summary>
    /// How long a transaction gathers clicks while more come. Default 500 ms, 10 ms to 10 s. Shorter means fresher, and
    /// more markers in the topic.
    /// </summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long the broker keeps the transaction of a shipper that is gone open: readers wait behind it. Default 15 s,
    /// 1 s to 15 min (brokers allow no more by default).
    /// </summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Clicks of one transaction at most. Default 100,000, 1 to 10 million.</summary>
    public int MaxTransactionRecords { get; init; } = 100_000;

    /// <summary>Any setting of librdkafka (TLS, SASL, compression, buffers), by its own name.</summary>
    public IReadOnlyDictionary<string, string> Client { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// A file beside the log that remembers that it was shipped: without it a positions topic that is lost looks like a log
    /// that was never shipped. Default none.
    /// </summary>
    public string? NoteFile { get; init; }

    /// <summary>
    /// Whether a topic that does not fit is waited for, until somebody has changed it. Default false: a shipper that finds one
    /// at its start ends, and one that has shipped before waits all the same.
    /// </summary>
    public bool WaitsForTopic { get; init; }

    /// <summary>
    /// The topics are there and are not asked for: tests ship to librdkafka's own brokers, which answer no questions about topics.
    /// </summary>
    internal bool TopicsAreThere { get; init; }

    internal string PositionsTopicOrDefault => PositionsTopic ?? Topic + "-positions";

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Require(!string.IsNullOrWhiteSpace(BootstrapServers), nameof(BootstrapServers), "must name a broker");
        Require(IsTopic(Topic), nameof(Topic), "must be 1-249 characters of A-Z a-z 0-9 . _ -");
        Require(IsTopic(PositionsTopicOrDefault), nameof(PositionsTopic), "must be 1-249 characters of A-Z a-z 0-9 . _ -");
        Require(PositionsTopicOrDefault != Topic, nameof(PositionsTopic), $"must not be {nameof(Topic)}");
        Require(Partitions is >= 1 and <= 10_000, nameof(Partitions), "must be between 1 and 10,000");
        Require(ReplicationFactor is null or >= 1, nameof(ReplicationFactor), "must be at least 1");
        Require(Retention >= TimeSpan.FromMinutes(1), nameof(Retention), "must be at least a minute");
        Require(CommitInterval >= TimeSpan.FromMilliseconds(10) && CommitInterval <= TimeSpan.FromSeconds(10),
            nameof(CommitInterval), "must be between 10 ms and 10 s");
        Require(TransactionTimeout >= TimeSpan.FromSeconds(1) && TransactionTimeout <= TimeSpan.FromMinutes(15),
            nameof(TransactionTimeout), "must be between 1 s and 15 min");
        Require(TransactionTimeout > CommitInterval, nameof(TransactionTimeout), $"must be longer than {nameof(CommitInterval)}");
        Require(MaxTransactionRecords is >= 1 and <= 10_000_000, nameof(MaxTransactionRecords), "must be between 1 and 10,000,000");
        foreach (string name in Client.Keys.Intersect(s_ours))
        {
            faults.Add($"{nameof(ShipperOptions)}.{nameof(Client)}: {name} cannot be set, what is promised rests on it");
        }

        return faults;

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(ShipperOptions)}.{setting} {rule}");
            }
        }
    }

    private static bool IsTopic(string name) =>
        name.Length is >= 1 and <= 249 && name is not ("." or "..") && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
