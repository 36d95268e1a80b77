using ClickAggregator.Clicks;
using ClickAggregator.Grains.Chain;

namespace ClickAggregator.Grains.Partitions;

/// <summary>What is counted and how it is batched.</summary>
public sealed record CountingOptions
{
    public RollupSet Rollups { get; init; } = RollupSet.Default;

    /// <summary>How long an id may not be repeated, in log time. Default 10 minutes.</summary>
    public TimeSpan Horizon { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Within how many records of a partition. Default 4,000,000.</summary>
    public int MaxIds { get; init; } = 4_000_000;

    /// <summary>Clicks older than this at their append time are not counted; null for none.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>The least time between two batches. Default 500 ms.</summary>
    public TimeSpan BatchInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Whether a target's clicks may lie in several partitions: nothing makes other producers give their records the right
    /// key. Rankings prove less then. Default false.
    /// </summary>
    public bool TargetsMaySpread { get; init; }

    /// <summary>Bounds of each partition.</summary>
    public ChainOptions Chain { get; init; } = new();
}
