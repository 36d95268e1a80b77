using System.Numerics;

namespace ClickAggregator.Grains.Archive;

/// <summary>A set of offsets, a bit each: a hundred million take 13 MB. Not safe for concurrent use.</summary>
internal sealed class OffsetSet
{
    private const int PageBits = 16;
    private readonly Dictionary<long, ulong[]> _pages = [];

    /// <summary>How many it holds.</summary>
    public long Count { get; private set; }

    public bool Contains(long offset) =>
        _pages.TryGetValue(offset >> PageBits, out ulong[]? page) && (page[WordOf(offset)] & Bit(offset)) != 0;

    /// <summary>Adds an offset; false where it was there.</summary>
    public bool Add(long offset)
    {
        if (!_pages.TryGetValue(offset >> PageBits, out ulong[]? page))
        {
            _pages[offset >> PageBits] = page = new ulong[1 << (PageBits - 6)];
        }

        ref ulong word = ref page[WordOf(offset)];
        bool isNew = (word & Bit(offset)) == 0;
        word |= Bit(offset);
        Count += isNew ? 1 : 0;
        return isNew;
    }

    private static int WordOf(long offset) => (int)(offset & ((1 << PageBits) - 1)) >> 6;

    private static ulong Bit(long offset) => BitOperations.RotateLeft(1UL, (int)(offset & 63));
}
