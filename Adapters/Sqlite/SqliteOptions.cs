namespace ClickAggregator.Adapters.Sqlite;

/// <summary>Where the store is and how long it keeps what.</summary>
public sealed record SqliteOptions
{
    /// <summary>The file, <c>store.db</c>.</summary>
    public required string Path { get; init; }

    /// <summary>How long minutes are kept after a window's last write. Default 48 hours.</summary>
    public TimeSpan RetentionMinutes { get; init; } = TimeSpan.FromHours(48);

    /// <summary>How long windows and days are kept after the day's last write; null for ever.</summary>
    public TimeSpan? RetentionDays { get; init; }

    /// <summary>Writes in one transaction at most. Default 4,096.</summary>
    public int MaxTransaction { get; init; } = 4096;

    /// <summary>Writes that wait at most; whoever comes then waits to wait. Default 65,536.</summary>
    public int MaxQueued { get; init; } = 65_536;

    /// <summary>Connections that read at the same time. Default 8.</summary>
    public int Readers { get; init; } = 8;

    /// <summary>How long a lock that another program holds is waited for. Default 5 seconds, at least one.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The write-ahead log in bytes from which a checkpoint holds the writer up to start it over. It grows that long only
    /// when reads overlap without a gap. Default 256 MiB.
    /// </summary>
    public long MaxWalBytes { get; init; } = 256L << 20;
}

/// <summary>The store cannot be used as it is; the message says what to do.</summary>
public sealed class StoreUnusableException(string message, Exception? inner = null) : Exception(message, inner);
