namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Which clicks of a large hour may repeat another: all that do, and some in a hundred that do not. Going through the hour once with it
/// leaves so few that they fit into the memory, where else the hour would be gone through for one part of its clicks after the other.
/// A Bloom filter: a click has three bits of one word, and is a candidate where all three are set already. Not safe for
/// concurrent use.
/// </summary>
internal sealed class RepeatCandidates
{
    private const int BitsPerClick = 12;
    private readonly ulong[] _words;
    private readonly int _most;

    /// <param name="clicks">How many there will be.</param>
    /// <param name="maxBytes">Of the filter; where it would need more, more clicks are taken for candidates.</param>
    /// <param name="most">Candidates that fit; <see cref="IsTooMany"/> says where there are more.</param>
    public RepeatCandidates(long clicks, long maxBytes, int most)
    {
        _words = new ulong[Math.Clamp(clicks * BitsPerClick / 64, 1, Math.Max(1, maxBytes / sizeof(ulong)))];
        _most = most;
    }

    /// <summary>Their hashes.</summary>
    public HashSet<UInt128> Found { get; } = [];

    /// <summary>There are more candidates than fit: then nothing is known.</summary>
    public bool IsTooMany => Found.Count > _most;

    /// <summary>Notes a click.</summary>
    public void Note(UInt128 hash)
    {
        var low = (ulong)hash;
        ref ulong word = ref _words[(int)(((hash >> 96) * (uint)_words.Length) >> 32)];
        ulong bits = (1UL << (int)(low & 63)) | (1UL << (int)((low >> 6) & 63)) | (1UL << (int)((low >> 12) & 63));
        if ((word & bits) != bits)
        {
            word |= bits;
        }
        else if (!IsTooMany)
        {
            Found.Add(hash);
        }
    }
}
