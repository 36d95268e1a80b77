using ClickAggregator.Clicks;
using ClickAggregator.Grains.Archive;
using ClickAggregator.Grains.Reconciling.Replay;
using ClickAggregator.Grains.Storage;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>What a recount reads, compares with and asks.</summary>
/// <param name="Ledger">What is stored, and the ledger.</param>
/// <param name="Counts">The read side of the store.</param>
/// <param name="Batches">The top lists.</param>
/// <param name="Chains">How far is counted; and where corrections go.</param>
/// <param name="Archive">How far is archived, and which objects there are.</param>
/// <param name="Objects">The objects.</param>
/// <param name="Files">Their form.</param>
/// <param name="Replay">What clicks go through once more where a run asks for it.</param>
/// <param name="Time">When; it decides no count.</param>
internal sealed record RecountPorts(
    ILedgerStore Ledger,
    ICountReader Counts,
    IBatchStore Batches,
    ICountedChains Chains,
    IHourArchive Archive,
    IArchiveObjects Objects,
    IClickFiles Files,
    IReplayLog Replay,
    TimeProvider Time);

/// <summary>How hours are recounted.</summary>
internal sealed record RecountRules
{
    /// <summary>The series.</summary>
    public RollupSet Rollups { get; init; } = RollupSet.Default;

    /// <summary>Clicks older than this when they were appended were not counted; null = all were.</summary>
    public int? RetentionDays { get; init; }

    /// <summary>
    /// How long after its end an hour stays young: a batch that touches a young hour notes it after its windows, so until then
    /// the hour cannot be final. Longer than what the counting takes an hour for young.
    /// </summary>
    public TimeSpan Young { get; init; } = TimeSpan.FromMinutes(75);

    /// <summary>How much memory one may take.</summary>
    public RecountBounds Bounds { get; init; } = new();

    /// <summary>Windows in one call of a partition; 1 to 1,000.</summary>
    public int Chunk { get; init; } = 200;

    /// <summary>
    /// Which series lie in which pass, and where in its table. Ids come from outside: with an unknown one nobody can choose ids that
    /// all meet in one place.
    /// </summary>
    public long Seed { get; init; } = Random.Shared.NextInt64();
}
