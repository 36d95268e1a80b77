using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Turns records into one delta per window. Everything it decides is a function of the records and of its rules, never
/// of a clock or of how the records were cut into slabs. Not safe for concurrent use.
/// </summary>
public interface IClickFolder
{
    /// <summary>Only notes the ids of the records in <c>[from, to)</c>: how the set of ids is read back.</summary>
    void Remember(Slab slab, long from, long to);

    /// <summary>Folds the records of a slab whose offsets lie in <c>[from, to)</c>.</summary>
    void Fold(Slab slab, long from, long to);

    /// <summary>What was folded since the last call.</summary>
    FoldedBatch Complete();

    /// <summary>
    /// From where <see cref="Remember"/> has to start so that all that follows is decided as this folder would decide
    /// it; <see cref="long.MaxValue"/> while nothing was seen.
    /// </summary>
    long DedupFrom { get; }
}
