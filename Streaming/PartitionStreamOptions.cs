namespace ClickAggregator.Streaming;

/// <summary>Settings of one partition stream provider.</summary>
public sealed class PartitionStreamOptions
{
    /// <summary>
    /// How often an agent looks for new records when it found none. Default 50 ms, 1 ms to 10 s. Shorter means
    /// fresher and more idle CPU (a look that finds nothing costs about 80 us, most of it waking a thread).
    /// </summary>
    public TimeSpan PullPeriod { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// About how large a slab gets, in bytes. Default 1 MiB, 1 KiB to 64 MiB (Orleans refuses messages above
    /// 100 MiB). Larger means fewer deliveries and coarser steps.
    /// </summary>
    public int MaxSlabBytes { get; set; } = 1 << 20;

    /// <summary>
    /// How many bytes of slabs an agent reads ahead of its consumer, per partition. Default 32 MiB; at least
    /// <see cref="MaxSlabBytes"/>, at most 4 GiB. At this bound reading pauses until the consumer has caught up.
    /// </summary>
    public long CacheBytes { get; set; } = 32L << 20;

    /// <summary>
    /// The streams' namespace, which the consumer names in its <see cref="ImplicitStreamSubscriptionAttribute"/>.
    /// Default <c>clicks</c>.
    /// </summary>
    public string Namespace { get; set; } = "clicks";

    /// <summary>How long a delivery that fails is retried before it is skipped. Default 1 minute, 1 s to 1 hour.</summary>
    public TimeSpan MaxDeliveryTime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How often a silo looks whether the log has got more partitions. Default 10 s, 100 ms to 1 hour. Until the log has
    /// answered for the first time it looks every second.
    /// </summary>
    public TimeSpan PartitionCheckPeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Require(PullPeriod >= TimeSpan.FromMilliseconds(1) && PullPeriod <= TimeSpan.FromSeconds(10),
            nameof(PullPeriod), "must be between 1 ms and 10 s");
        Require(MaxSlabBytes is >= 1 << 10 and <= 64 << 20,
            nameof(MaxSlabBytes), "must be between 1 KiB and 64 MiB");
        Require(CacheBytes >= MaxSlabBytes && CacheBytes <= 4L << 30,
            nameof(CacheBytes), $"must be between {nameof(MaxSlabBytes)} and 4 GiB");
        Require(!string.IsNullOrWhiteSpace(Namespace),
            nameof(Namespace), "must not be empty");
        Require(MaxDeliveryTime >= TimeSpan.FromSeconds(1) && MaxDeliveryTime <= TimeSpan.FromHours(1),
            nameof(MaxDeliveryTime), "must be between 1 s and 1 hour");
        Require(PartitionCheckPeriod >= TimeSpan.FromMilliseconds(100) && PartitionCheckPeriod <= TimeSpan.FromHours(1),
            nameof(PartitionCheckPeriod), "must be between 100 ms and 1 hour");
        return faults;

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(PartitionStreamOptions)}.{setting} {rule}");
            }
        }
    }
}
