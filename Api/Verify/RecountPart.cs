namespace ClickAggregator.Api.Verify;

/// <summary>A partition as far as it is counted, as the store says.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Chain">The chain that its window rows carry.</param>
/// <param name="Next">Every offset below it is counted.</param>
/// <param name="Log">The log that it was counted from.</param>
/// <param name="IsClosed">Nothing behind is counted from that log any more.</param>
internal sealed record CountedPartition(int Partition, int Chain, long Next, string Log, bool IsClosed);

/// <summary>A part of the store that can be recounted, and from where.</summary>
/// <param name="Log">The log.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Chain">The chain that the window rows carry.</param>
/// <param name="Next">Every offset below it is counted.</param>
/// <param name="ReadTo">Where to stop reading at the latest.</param>
/// <param name="FirstHour">
/// The first hour whose clicks the log still has all of. Windows before it are recounted from the archive, and from the log what is not
/// archived yet; without an archive they are left out.
/// </param>
/// <param name="Archive">The archive of the chain, where it has all that the log removed.</param>
internal sealed record RecountPart(
    IRecountLog Log, int Partition, int Chain, long Next, long ReadTo = long.MaxValue, int FirstHour = int.MinValue, RecountedArchive? Archive = null);
