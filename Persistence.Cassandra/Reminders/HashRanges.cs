namespace ClickAggregator.Persistence.Cassandra.Reminders;

/// <summary>
/// Ranges on the ring of hashes, cut at the 256 partitions that reminders are kept in: (begin, end], and round the end of
/// the ring where begin is not below end. So begin equal to end is the whole ring.
/// </summary>
internal static class HashRanges
{
    private const int SliceBits = 24;
    private const long Largest = uint.MaxValue;

    public static int SliceOf(long hash) => (int)(hash >> SliceBits);

    /// <summary>What is to be read of which slices: hashes above <c>After</c> up to <c>UpTo</c>.</summary>
    public static IEnumerable<(int Slice, long After, long UpTo)> Cut(uint begin, uint end) => begin < end
        ? Cut((long)begin, end)
        : Cut(begin, Largest).Concat(Cut(-1, end));

    private static IEnumerable<(int Slice, long After, long UpTo)> Cut(long after, long upTo)
    {
        for (int slice = SliceOf(after + 1); after < upTo && slice <= SliceOf(upTo); slice++)
        {
            yield return (slice, after, upTo);
        }
    }
}
