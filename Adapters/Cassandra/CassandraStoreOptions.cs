using ClickAggregator.Persistence.Cassandra;

namespace ClickAggregator.Adapters.Cassandra;

/// <summary>Where the store is, how long it keeps what, and how much it does at once.</summary>
public sealed class CassandraStoreOptions
{
    /// <summary>The cluster and the keyspace. Default keyspace <c>clicks</c>.</summary>
    public CassandraOptions Cassandra { get; } = new() { Keyspace = "clicks" };

    /// <summary>How long minutes are kept after a window's last write. Default 48 hours; 1 minute to 10 years.</summary>
    public TimeSpan RetentionMinutes { get; set; } = TimeSpan.FromHours(48);

    /// <summary>How long windows and days are kept after the day's last write; null, the default, for ever. 1 minute to 10 years.</summary>
    public TimeSpan? RetentionDays { get; set; }

    /// <summary>Windows that are written at the same time. Default 512, 1 to 100,000; whoever comes then waits.</summary>
    public int MaxWrites { get; set; } = 512;

    /// <summary>Requests of one query that are made at the same time. Default 64, 1 to 10,000.</summary>
    public int MaxReads { get; set; } = 64;

    /// <summary>
    /// Days of series whose counts are remembered between writes, so that a write need not read its day. Default 200,000, 2 to
    /// 100 million; some 300 bytes each.
    /// </summary>
    public int MaxDaysInMemory { get; set; } = 200_000;

    /// <summary>All faults, each as the name of a setting and the rule it breaks; empty when there are none.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> faults = [.. Cassandra.Validate()];
        Require(IsTime(RetentionMinutes), nameof(RetentionMinutes), "must be between 1 minute and 10 years");
        Require(RetentionDays is not TimeSpan days || IsTime(days), nameof(RetentionDays), "must be null or between 1 minute and 10 years");
        Require(MaxWrites is >= 1 and <= 100_000, nameof(MaxWrites), "must be between 1 and 100,000");
        Require(MaxReads is >= 1 and <= 10_000, nameof(MaxReads), "must be between 1 and 10,000");
        Require(MaxDaysInMemory is >= 2 and <= 100_000_000, nameof(MaxDaysInMemory), "must be between 2 and 100,000,000");
        return faults;

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
            {
                faults.Add($"{nameof(CassandraStoreOptions)}.{setting} {rule}");
            }
        }
    }

    private static bool IsTime(TimeSpan time) => time >= TimeSpan.FromMinutes(1) && time <= TimeSpan.FromDays(3653);
}
