namespace ClickAggregator.Streaming.Kafka;

/// <summary>Settings of one stream provider over a topic.</summary>
public sealed class KafkaStreamOptions
{
    /// <summary>
    /// Where the topic is, how it is read, and any setting of librdkafka. Only <see cref="KafkaLogOptions.BootstrapServers"/>
    /// is required.
    /// </summary>
    public KafkaLogOptions Log { get; } = new();

    /// <summary>The streams: their namespace, how often and how much is read, how long a delivery is tried.</summary>
    public PartitionStreamOptions Streams { get; } = new();

    /// <summary>
    /// Whether the topic is made where it is missing, and looked at before it is first read or written. Default true. One
    /// that does not fit is not touched, and the log of the application says with which commands it would fit.
    /// </summary>
    public bool EnsureTopic { get; set; } = true;

    /// <summary>
    /// Where the reading of a partition starts for a consumer that resumes with no token. Default
    /// <see cref="KafkaStart.Earliest"/>. Not asked where the application registers an <see cref="IReaderStart"/>, under
    /// the provider's name or without a key.
    /// </summary>
    public KafkaStart Start { get; set; } = KafkaStart.Earliest;

    /// <summary>
    /// What of a record becomes its bytes in a slab. Default its value. <see cref="KafkaMessageMapping"/> keeps key and headers
    /// for consumers of <see cref="KafkaMessage"/>s, at 12 bytes a record and what they take.
    /// </summary>
    public IRecordMapping Mapping { get; set; } = RecordValueMapping.Instance;

    /// <summary>How items that are neither bytes nor messages become values of records. Default JSON.</summary>
    public IItemSerializer Serializer { get; set; } = new JsonItemSerializer();

    /// <summary>
    /// Asked about each record that is not what its consumer asks for, before it is skipped; a place to put it aside. Default
    /// none: skip. Called during a delivery, again when that is tried again; what it throws fails the delivery.
    /// </summary>
    public Func<UnreadableRecord, UnreadableAction>? OnUnreadable { get; set; }

    /// <summary>
    /// How long producing may take, retries and waiting included, before it fails. Default 30 s, 1 s to 1 hour. Grain calls
    /// time out after 30 s unless set otherwise.
    /// </summary>
    public TimeSpan DeliveryTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many bytes may be on their way to the brokers. Default 32 MiB, 1 MiB to 1 GiB. At this bound producers wait, in
    /// the order in which they came.
    /// </summary>
    public int SendQueueBytes { get; set; } = 32 << 20;

    /// <summary>
    /// How long a record waits for others to be sent along with it. Default 5 ms, 0 to 1 s. Longer means larger batches: less
    /// CPU for many small calls, and a later answer to each.
    /// </summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(5);

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> faults = [.. Log.Validate(), .. Streams.Validate()];
        Require(Enum.IsDefined(Start), nameof(Start), "must be Earliest or Latest");
        Require(Mapping is not null, nameof(Mapping), "must not be null");
        Require(Serializer is not null, nameof(Serializer), "must not be null");
        Require(DeliveryTimeout >= TimeSpan.FromSeconds(1) && DeliveryTimeout <= TimeSpan.FromHours(1),
            nameof(DeliveryTimeout), "must be between 1 s and 1 hour");
        Require(SendQueueBytes is >= 1 << 20 and <= 1 << 30, nameof(SendQueueBytes), "must be between 1 MiB and 1 GiB");
        Require(Linger >= TimeSpan.Zero && Linger <= TimeSpan.FromSeconds(1), nameof(Linger), "must be between 0 and 1 s");
        Require(Linger < DeliveryTimeout, nameof(Linger), $"must be below {nameof(DeliveryTimeout)}");
        foreach (string name in Log.Client.Keys.Order(StringComparer.Ordinal))
        {
            if (Producing.ProducerSettings.Fault(name) is { } rule)
            {
                faults.Add($"{nameof(KafkaLogOptions)}.{nameof(KafkaLogOptions.Client)}:{name} {rule}");
            }
        }

        return faults;

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(KafkaStreamOptions)}.{setting} {rule}");
            }
        }
    }

    /// <summary>The settings for a line of diagnostics; secrets are masked.</summary>
    public override string ToString() => $"streams {Streams.Namespace} over {Log}";
}

/// <summary>Where the reading of a partition starts for a consumer without progress.</summary>
public enum KafkaStart
{
    /// <summary>At the oldest record that the topic still has.</summary>
    Earliest,

    /// <summary>
    /// Behind the newest record at the time when the partition is first read. What comes before that is not delivered, also
    /// not what is appended to a new partition before a silo has seen it.
    /// </summary>
    Latest,
}
