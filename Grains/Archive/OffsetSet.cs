using System.Numerics;

namespace ClickAggregator.Grains.Archive;

/// <summary>A set of offsets, a bit each: a hundred million take 13 MB. Not safe for concurrent use.</summary>
internal sealed class OffsetSet
{
    private const int PageBits = 16;
    private readonly Dictionary<long, ulong[]> _pages = [];

    /// <summary>Adds an offset; false where it was there.</summary>
    public bool Add(long offset)
    {
        if (!_pages.TryGetValue(offset >> PageBits, out ulong[]? page))
        {
            _pages[offset >> PageBits] = page = new ulong[1 << (PageBits - 6)];
        }

        ref ulong word = ref page[(offset & ((1 << PageBits) - 1)) >> 6];
        ulong bit = BitOperations.RotateLeft(1UL, (int)(offset & 63));
        bool isNew = (word & bit) == 0;
        word |= bit;
        return isNew;
    }
}
