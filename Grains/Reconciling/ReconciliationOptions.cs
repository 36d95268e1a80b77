using ClickAggregator.Grains.Reconciling.Recount;

namespace ClickAggregator.Grains.Reconciling;

/// <summary>When hours are recounted, and how much of it at a time.</summary>
public sealed record ReconciliationOptions
{
    /// <summary>How long after its end an hour is recounted. At least <see cref="Young"/>; default 2 hours.</summary>
    public TimeSpan After { get; init; } = TimeSpan.FromHours(2);

    /// <summary>How often hours are recounted that late clicks came to. Default 24 hours.</summary>
    public TimeSpan LateEvery { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// How often all that is stored is looked through for windows that no index names, a small part at a time. Default 24 hours; as a
    /// setting at least a minute, because all of the store is read in it; <see cref="TimeSpan.Zero"/> for never.
    /// </summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How runs make their expected counts. Default direct.</summary>
    public RunMode Mode { get; init; } = RunMode.Direct;

    /// <summary>
    /// How long after its end an hour cannot be recounted: a batch that touches a young hour notes it after its windows. Default
    /// 75 minutes, a quarter of an hour more than what the counting takes for young.
    /// </summary>
    public TimeSpan Young { get; init; } = TimeSpan.FromMinutes(75);

    /// <summary>How many chains are recounted at a time, over all silos. Default 4, or as many as this machine has processors.</summary>
    public int AtOnce { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>How long a run waits for an hour that is not archived or counted so far yet. Default 15 minutes.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often it looks. Default 2 seconds.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How much memory one recount may take.</summary>
    public RecountBounds Bounds { get; init; } = new();
}
