namespace ClickAggregator.Grains.Chain;

/// <summary>Bounds of a chain.</summary>
public sealed record ChainOptions
{
    /// <summary>Records of a batch at most (a slab is never cut). Default 500,000.</summary>
    public int MaxRecords { get; init; } = 500_000;

    /// <summary>Bytes of slabs that wait to be counted at most; beyond it deliveries wait. Default 16 MiB.</summary>
    public long BufferBytes { get; init; } = 16L << 20;

    /// <summary>
    /// Whether the times of the log's records are of this machine's clock. Else they say nothing of until when accepted
    /// clicks are counted: only looks at the log's end do. Default true.
    /// </summary>
    public bool LogClockIsOurs { get; init; } = true;

    /// <summary>Windows that are called at the same time. Default 32: more are hardly faster, and what else the silo does, as a query, waits behind them.</summary>
    public int InFlight { get; init; } = 32;

    /// <summary>Repeats of a call that failed, at most 500: stamps of batches are 1,000 apart.</summary>
    public int MaxAttempts { get; init; } = 500;

    /// <summary>The pause before a repeat, doubled up to a hundredfold. Default 20 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(20);
}
