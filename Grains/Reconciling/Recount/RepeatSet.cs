namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Which clicks of an hour repeat another: the one with the least offset counts. Exact, and about 30 bytes a click. Clicks may
/// come in any order: where a later one came first (<see cref="IsDisordered"/>), the clicks are to be gone through again, and the
/// first ones are known then. Not safe for concurrent use.
/// </summary>
internal sealed class RepeatSet
{
    private readonly Dictionary<UInt128, long> _firsts = [];
    private uint[] _table = new uint[1024];
    private UInt128[] _hashes = new UInt128[512];
    private long[] _offsets = new long[512];
    private int _count;

    /// <summary>A click came behind a repeat of it: what was said of the two is wrong.</summary>
    public bool IsDisordered { get; private set; }

    /// <summary>Whether the click is the first of its kind; to be asked once of each.</summary>
    public bool IsFirst(UInt128 hash, long offset)
    {
        if (_firsts.Count > 0 && _firsts.TryGetValue(hash, out long first) && first != offset)
        {
            if (offset < first)
            {
                _firsts[hash] = offset;
                IsDisordered = true;
            }

            return false;
        }

        return Note(hash, offset);
    }

    /// <summary>Forgets the clicks, before they are gone through again; what was learned of their order stays.</summary>
    public void Again()
    {
        Array.Clear(_table);
        _count = 0;
        IsDisordered = false;
    }

    private bool Note(UInt128 hash, long offset)
    {
        int mask = _table.Length - 1;
        int at = (int)(ulong)hash & mask;
        while (_table[at] is > 0 and var slot)
        {
            int known = (int)slot - 1;
            if (_hashes[known] == hash)
            {
                if (offset < _offsets[known])
                {
                    _offsets[known] = offset;
                    _firsts[hash] = offset;
                    IsDisordered = true;
                }

                return false;
            }

            at = (at + 1) & mask;
        }

        if (_count == _hashes.Length)
        {
            Array.Resize(ref _hashes, _count * 2);
            Array.Resize(ref _offsets, _count * 2);
            Rehash(_table.Length * 2);
            return Note(hash, offset);
        }

        _hashes[_count] = hash;
        _offsets[_count] = offset;
        _table[at] = (uint)++_count;
        return true;
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
