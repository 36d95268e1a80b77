using ClickAggregator.Grains.Archive;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Finds out which clicks of an hour repeat another: of those that are the same, all but the one with the least offset. Exact, about
/// 30 bytes a click, and clicks may come in any order. Not safe for concurrent use.
/// </summary>
/// <param name="repeats">Takes the offsets of those that do.</param>
internal sealed class RepeatSet(OffsetSet repeats)
{
    private uint[] _table = new uint[1024];
    private UInt128[] _hashes = new UInt128[512];
    private long[] _offsets = new long[512];
    private int _count;

    /// <summary>Forgets the clicks; what was said of them stays.</summary>
    public void Clear()
    {
        Array.Clear(_table);
        _count = 0;
    }

    /// <summary>Notes a click; to be called once for each.</summary>
    public void Note(UInt128 hash, long offset)
    {
        int mask = _table.Length - 1;
        int at = (int)(ulong)hash & mask;
        for (; _table[at] is > 0 and var slot; at = (at + 1) & mask)
        {
            ref long first = ref _offsets[slot - 1];
            if (_hashes[slot - 1] == hash)
            {
                repeats.Add(Math.Max(first, offset));
                first = Math.Min(first, offset);
                return;
            }
        }

        if (_count == _hashes.Length)
        {
            Array.Resize(ref _hashes, _count * 2);
            Array.Resize(ref _offsets, _count * 2);
            Rehash(_table.Length * 2);
            Note(hash, offset);
            return;
        }

        _hashes[_count] = hash;
        _offsets[_count] = offset;
        _table[at] = (uint)++_count;
    }

    private void Rehash(int size)
    {
        _table = new uint[size];
        for (int known = 0; known < _count; known++)
        {
            int at = (int)(ulong)_hashes[known] & (size - 1);
            while (_table[at] != 0)
            {
                at = (at + 1) & (size - 1);
            }

            _table[at] = (uint)known + 1;
        }
    }
}
