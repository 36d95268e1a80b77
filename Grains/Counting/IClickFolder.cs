using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Counting;

/// <summary>Turns the records of one chain into deltas per window. Not safe for concurrent use.</summary>
public interface IClickFolder
{
    /// <summary>
    /// The smallest offset from which <see cref="Remember"/> must start, in a new process, so that the decisions about
    /// every record beyond what was folded so far are the same.
    /// </summary>
    long DedupFrom { get; }

    /// <summary>Notes the click ids of the records with offsets in [from, to), and counts nothing.</summary>
    void Remember(Slab slab, long from, long to);

    /// <summary>Counts the records with offsets in [from, to); they follow what was remembered or folded before.</summary>
    void Fold(Slab slab, long from, long to);

    /// <summary>Forgets which stamps the windows of some hours were written under last: somebody else has written some of them.</summary>
    void Forget(IReadOnlySet<int> hours);

    /// <summary>
    /// The deltas since the last call, in the order (series, hour). They are a function of the records and the rules
    /// alone, however the records were cut into slabs.
    /// </summary>
    FoldedBatch Complete();
}
