namespace ClickAggregator.Streaming.Kafka;

/// <summary>Which topic is read as a partitioned log, and within which bounds.</summary>
public sealed class KafkaLogOptions
{
    /// <summary>Some brokers of the cluster, <c>host:port</c>, separated by commas. Required.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The topic. Default <c>clicks</c>; 1 to 249 of the characters <c>a-z A-Z 0-9 . _ -</c>.</summary>
    public string Topic { get; set; } = "clicks";

    /// <summary>
    /// How many partitions the topic gets when it is created, and how many it needs at least. Default 4, 1 to 10,000.
    /// Adding partitions later moves keys to other partitions.
    /// </summary>
    public int Partitions { get; set; } = 4;

    /// <summary>On how many brokers each partition of a created topic lies. Default -1: as the brokers are set; else 1 to 100.</summary>
    public short ReplicationFactor { get; set; } = -1;

    /// <summary>How long a created topic keeps its records. Default 7 days, 1 minute or more. An existing topic is left as it is.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Any other setting of librdkafka by its name, for TLS, SASL, client.id and so on; it goes to every client that is
    /// made. Default none. What the log's promises rest on (see <see cref="Validate"/>) cannot be set.
    /// </summary>
    public IDictionary<string, string> Client { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// How many bytes one fetch may bring of one partition. Default 1 MiB, 1 KiB to 512 MiB. A single larger record is
    /// brought all the same.
    /// </summary>
    public int PartitionFetchBytes { get; set; } = 1 << 20;

    /// <summary>How many bytes one fetch may bring of all partitions of a broker. Default 16 MiB, at least <see cref="PartitionFetchBytes"/>, at most 512 MiB.</summary>
    public int FetchBytes { get; set; } = 16 << 20;

    /// <summary>
    /// How many bytes are fetched ahead of a reader, for each one. Default 8 MiB, 64 KiB to 1 GiB; one fetch may come on
    /// top. At this bound fetching pauses, for that partition alone, until the reader has gone on.
    /// </summary>
    public int QueueBytes { get; set; } = 8 << 20;

    /// <summary>
    /// How long a broker holds a fetch while nothing arrives. Default 100 ms, 10 ms to 5 s. Longer costs less while idle,
    /// but a partition that becomes readable again (opened, or its queue emptied) waits for the others' fetch this long.
    /// </summary>
    public TimeSpan FetchWait { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a question to the brokers (ids, ranges, topics) may take. Default 10 s, 100 ms to 5 minutes.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the reading of a range may stand still before it fails. Default 30 s, 1 s to 1 hour.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a client that nobody reads with is kept, with its threads and connections. Default 90 s (longer than
    /// a minute, in which every partition looks after itself), 0 to 1 day.
    /// </summary>
    public TimeSpan KeepClients { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// All faults, each as the name of a setting and the rule it breaks; empty when there are none. librdkafka is asked
    /// about each setting of <see cref="Client"/>. No value of a secret is ever part of the text.
    /// </summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Require(!string.IsNullOrWhiteSpace(BootstrapServers),
            nameof(BootstrapServers), "must name at least one broker as host:port");
        Require(Topic is { Length: > 0 and <= 249 } and not "." and not ".." && Topic.All(IsTopicCharacter),
            nameof(Topic), "must be 1 to 249 of the characters a-z A-Z 0-9 . _ -");
        Require(Partitions is >= 1 and <= 10_000,
            nameof(Partitions), "must be between 1 and 10,000");
        Require(ReplicationFactor is -1 or (>= 1 and <= 100),
            nameof(ReplicationFactor), "must be -1 (as the brokers are set) or between 1 and 100");
        Require(Retention >= TimeSpan.FromMinutes(1),
            nameof(Retention), "must be at least 1 minute");
        Require(PartitionFetchBytes is >= 1 << 10 and <= 512 << 20,
            nameof(PartitionFetchBytes), "must be between 1 KiB and 512 MiB");
        Require(FetchBytes >= PartitionFetchBytes && FetchBytes <= 512 << 20,
            nameof(FetchBytes), $"must be between {nameof(PartitionFetchBytes)} and 512 MiB");
        Require(QueueBytes is >= 64 << 10 and <= 1 << 30,
            nameof(QueueBytes), "must be between 64 KiB and 1 GiB");
        Require(FetchWait >= TimeSpan.FromMilliseconds(10) && FetchWait <= TimeSpan.FromSeconds(5),
            nameof(FetchWait), "must be between 10 ms and 5 s");
        Require(RequestTimeout >= TimeSpan.FromMilliseconds(100) && RequestTimeout <= TimeSpan.FromMinutes(5),
            nameof(RequestTimeout), "must be between 100 ms and 5 minutes");
        Require(StallTimeout >= TimeSpan.FromSeconds(1) && StallTimeout <= TimeSpan.FromHours(1),
            nameof(StallTimeout), "must be between 1 s and 1 hour");
        Require(KeepClients >= TimeSpan.Zero && KeepClients <= TimeSpan.FromDays(1),
            nameof(KeepClients), "must be between 0 and 1 day");
        foreach ((string name, string value) in Client.OrderBy(setting => setting.Key, StringComparer.Ordinal))
        {
            if (ClientSettings.Fault(name, value) is { } rule)
            {
                faults.Add($"{nameof(KafkaLogOptions)}.{nameof(Client)}:{name} {rule}");
            }
        }

        return faults;

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(KafkaLogOptions)}.{setting} {rule}");
            }
        }
    }

    /// <exception cref="ArgumentException">There are faults; it names them all.</exception>
    internal void ThrowIfFaulty(string parameter)
    {
        if (Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join("; ", faults), parameter);
        }
    }

    /// <summary>The settings for a line of diagnostics; secrets are masked.</summary>
    public override string ToString() =>
        $"topic {Topic} at {BootstrapServers}"
        + string.Concat(Client.OrderBy(setting => setting.Key, StringComparer.Ordinal)
            .Select(setting => $", {setting.Key}={(ClientSettings.IsSecret(setting.Key) ? "***" : setting.Value)}"));

    private static bool IsTopicCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-';
}
