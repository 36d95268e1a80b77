using ClickAggregator.Persistence.Cassandra;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Where the store is, how long it keeps what, and how much it does at once.</summary>
public sealed record CassandraStoreOptions
{
    /// <summary>Sets where Cassandra is; at least a contact point. The keyspace is <c>clicks</c> unless it says otherwise.</summary>
    public required Action<CassandraOptions> Cassandra { get; init; }

    /// <summary>How long minutes are kept after a window's last write. Default 48 hours; 1 second to 10 years.</summary>
    public TimeSpan RetentionMinutes { get; init; } = TimeSpan.FromHours(48);

    /// <summary>How long windows and days are kept after the day's last write; null, the default, for ever. 1 second to 10 years.</summary>
    public TimeSpan? RetentionDays { get; init; }

    /// <summary>
    /// Windows that are read or written at the same time. Default 512, 1 to 100,000; whoever comes then waits. Each has two
    /// requests in flight at most, which have to find room beside those of queries (<see cref="MaxReads"/>) in what the client
    /// has in flight at all.
    /// </summary>
    public int MaxWindows { get; init; } = 512;

    /// <summary>Requests of one query, or of the rows of one batch, that are made at the same time. Default 64, 1 to 10,000.</summary>
    public int MaxReads { get; init; } = 64;

    /// <summary>
    /// Days of series whose counts are remembered between writes, so that a write need not read its day. Default 200,000, 2 to
    /// 100 million; some 300 bytes each.
    /// </summary>
    public int MaxDaysInMemory { get; init; } = 200_000;

    /// <summary>
    /// Entries of top lists that are remembered for rankings, of hours and days that are over. Default 400,000, which is 100 days of
    /// four partitions; 2 to 100 million; some 60 bytes each.
    /// </summary>
    public int MaxTopEntriesInMemory { get; init; } = 400_000;

    /// <summary>
    /// Days of targets that are remembered for rankings. Default 65,536, which is twice 32 days of the thousand most clicked; 2 to 100
    /// million; some 900 bytes each.
    /// </summary>
    public int MaxDayRowsInMemory { get; init; } = 65_536;

    /// <summary>How much later than it may Cassandra takes space back: clocks differ a little.</summary>
    internal TimeSpan Slack { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> faults = [.. Configured().Validate()];
        Require(IsTime(RetentionMinutes), nameof(RetentionMinutes), "must be between 1 second and 10 years");
        Require(RetentionDays is not TimeSpan days || IsTime(days), nameof(RetentionDays), "must be null or between 1 second and 10 years");
        Require(MaxWindows is >= 1 and <= 100_000, nameof(MaxWindows), "must be between 1 and 100,000");
        Require(MaxReads is >= 1 and <= 10_000, nameof(MaxReads), "must be between 1 and 10,000");
        Require(MaxDaysInMemory is >= 2 and <= 100_000_000, nameof(MaxDaysInMemory), "must be between 2 and 100,000,000");
        Require(MaxTopEntriesInMemory is >= 2 and <= 100_000_000, nameof(MaxTopEntriesInMemory), "must be between 2 and 100,000,000");
        Require(MaxDayRowsInMemory is >= 2 and <= 100_000_000, nameof(MaxDayRowsInMemory), "must be between 2 and 100,000,000");
        return faults;

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(CassandraStoreOptions)}.{setting} {rule}");
            }
        }
    }

    /// <summary>The options of the connections, as they are set.</summary>
    internal CassandraOptions Configured()
    {
        var options = new CassandraOptions();
        Configure(options);
        return options;
    }

    /// <summary>Sets the options of the connections.</summary>
    internal void Configure(CassandraOptions options)
    {
        options.Keyspace = "clicks";

        // Below what two connections take: where all are full, a request that finds both so is refused instead of waiting.
        options.Cql.MaxRequestsInFlight = 1536;
        Cassandra(options);
    }

    private static bool IsTime(TimeSpan time) => time >= TimeSpan.FromSeconds(1) && time <= TimeSpan.FromDays(3653);
}
