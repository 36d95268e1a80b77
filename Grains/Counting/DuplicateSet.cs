using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Which click ids a chain saw of late. A record repeats an earlier one when the same 128-bit hash occurred at most the
/// horizon of log time before and within the last MaxIds records, whether or not that one counted: each occurrence
/// refreshes. A pure function of the records: see README.md for how it stays one after a restart. Not safe for
/// concurrent use.
/// </summary>
/// <remarks>
/// Hashes stand in a ring by their number; the table holds, per hash, its newest place in the ring and some bits of the
/// hash, so that a new id costs one cache line of the table and none of the ring. Forgetting is moving the ring's head:
/// what the table still says of older records is seen to be stale by its place alone, is overwritten when a new id
/// meets it, and else goes with the next rebuild. Both are cut into pieces of 256 KiB, so that growing leaves nothing behind.
/// </remarks>
public sealed class DuplicateSet
{
    private const int ChunkBits = 14;
    private const int ChunkSize = 1 << ChunkBits;
    private const int PieceBits = 16;
    private const int PieceSize = 1 << PieceBits;
    private const int SmallestTable = 4096;
    private const int Ahead = 16;

    private readonly long _horizon;
    private readonly int _maxIds;
    private readonly int _indexBits;
    private readonly uint _indexMask;
    private readonly uint _tagMask;
    private readonly UInt128[]?[] _ring;
    private readonly LogTimes _times = new();
    private readonly Stack<UInt128[]> _spares = new();

    // Each but a single one has PieceSize places.
    private uint[][] _table;
    private int _size;
    private int _occupied;
    private long _head;
    private long _next;

    /// <param name="horizon">How much log time an id is remembered.</param>
    /// <param name="maxIds">How many records an id is remembered; 1 to <see cref="CountingRules.MostIds"/>.</param>
    /// <param name="former">A set that nobody uses any more: its memory is taken.</param>
    public DuplicateSet(TimeSpan horizon, int maxIds, DuplicateSet? former = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(horizon, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(maxIds, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxIds, CountingRules.MostIds);
        _horizon = horizon.Ticks / TimeSpan.TicksPerMillisecond;
        _maxIds = maxIds;
        // Room for MaxIds before the newest, rounded up to whole chunks at both ends.
        _indexBits = int.Max(ChunkBits + 1, (int)uint.Log2((uint)maxIds + (2 * ChunkSize)) + 1);
        _indexMask = (1u << _indexBits) - 1;
        _tagMask = (1u << (32 - _indexBits)) - 1;
        _ring = new UInt128[]?[1 << (_indexBits - ChunkBits)];
        _table = former?._table ?? [new uint[SmallestTable]];
        _size = former?._size ?? SmallestTable;
        if (former is not null)
        {
            Array.ForEach(_table, Array.Clear);
            foreach (UInt128[] chunk in former._ring.OfType<UInt128[]>().Concat(former._spares))
            {
                _spares.Push(chunk);
            }
        }
    }

    /// <summary>How many records are remembered now.</summary>
    public long Count => long.Min(_next - _head, _maxIds);

    /// <summary>How much memory the set holds, about, in bytes.</summary>
    public long Bytes =>
        (_size * 4L) + _times.Bytes
        + ((_ring.Count(c => c is not null) + _spares.Count) * (long)ChunkSize * 16);

    /// <summary>
    /// The offset of the first record that can still matter: a set that is given the records from there on decides
    /// about every later one as this one does. Null while no record was seen.
    /// </summary>
    public long? Oldest => _times.OffsetOfHead;

    /// <summary>Notes a record and says whether it repeats one.</summary>
    public bool Add(UInt128 hash, long time, long offset)
    {
        bool repeats = false;
        Add(new ReadOnlySpan<UInt128>(in hash), new ReadOnlySpan<long>(in time), new ReadOnlySpan<long>(in offset), new Span<bool>(ref repeats));
        return repeats;
    }

    /// <summary>Notes records, in order, and says of each whether it repeats an earlier one.</summary>
    /// <param name="hashes">Their hashes.</param>
    /// <param name="times">Log time of each in milliseconds. A time before an earlier record's counts as that record's.</param>
    /// <param name="offsets">Offset of each, ascending.</param>
    /// <param name="repeats">Where the answers go.</param>
    public void Add(ReadOnlySpan<UInt128> hashes, ReadOnlySpan<long> times, ReadOnlySpan<long> offsets, Span<bool> repeats)
    {
        // The lines of the table are asked for some records ahead, so that their misses overlap.
        for (int i = 0; i < int.Min(Ahead, hashes.Length); i++)
        {
            Prefetch(hashes[i]);
        }

        for (int i = 0; i < hashes.Length; i++)
        {
            if (i + Ahead < hashes.Length)
            {
                Prefetch(hashes[i + Ahead]);
            }

            if (_occupied >= _size - (_size >> 2))
            {
                Rebuild();
            }

            MoveHead(times[i], offsets[i]);
            repeats[i] = Put(hashes[i]);
        }
    }

    private void MoveHead(long time, long offset)
    {
        long head = _times.Note(time, offset, _next, _horizon);
        head = long.Max(head, _next - _maxIds);
        if (head > _head)
        {
            Forget(head);
        }
    }

    private void Forget(long head)
    {
        for (long chunk = _head >> ChunkBits; chunk < head >> ChunkBits; chunk++)
        {
            ref UInt128[]? gone = ref _ring[chunk & (_ring.Length - 1)];
            if (gone is not null && _spares.Count == 0)
            {
                _spares.Push(gone);
            }

            gone = null;
        }

        _head = head;
        _times.DropBefore(head);
    }

    private bool Put(UInt128 hash)
    {
        uint[][] table = _table;
        uint place = (uint)_next & _indexMask;
        uint tag = Tag(hash);
        uint value = (tag << _indexBits) | place;
        uint live = (uint)(_next - _head);
        int at = Home(hash, _size);
        int free = -1;
        bool repeats = false;
        while (true)
        {
            uint slot = Slot(table, at);
            if (slot == 0)
            {
                if (free < 0)
                {
                    _occupied++;
                    free = at;
                }

                break;
            }

            uint index = slot & _indexMask;
            uint age = (place - index) & _indexMask;
            if (age == 0 || age > live)
            {
                free = free < 0 ? at : free;
            }
            else if (slot >> _indexBits == tag && At(index) == hash)
            {
                free = at;
                repeats = true;
                break;
            }

            at = at + 1 == _size ? 0 : at + 1;
        }

        Slot(table, free) = value;
        ref UInt128[]? chunk = ref _ring[place >> ChunkBits];
        if (chunk is null)
        {
            chunk = _spares.TryPop(out UInt128[]? spare) ? spare : GC.AllocateUninitializedArray<UInt128>(ChunkSize);
        }

        chunk[place & (ChunkSize - 1)] = hash;
        _next++;
        return repeats;
    }

    // In one go: about a tenth of a second for 4 million ids, once in about 2 million new ones.
    private void Rebuild()
    {
        // Read from the ring alone: what the table was is cleared and used again.
        int size = int.Max(SmallestTable, (int)Count * 2);
        if (size > _size || size <= _size / 2)
        {
            Resize(size);
        }

        Array.ForEach(_table, Array.Clear);

        // Oldest first, so that of several occurrences the newest stays.
        _occupied = 0;
        for (long number = _head; number < _next; number++)
        {
            if (number + Ahead < _next)
            {
                Prefetch(At((uint)(number + Ahead) & _indexMask));
            }

            Reinsert(At((uint)number & _indexMask), (uint)number & _indexMask);
        }
    }

    private void Resize(int size)
    {
        if (size <= PieceSize)
        {
            _table = [new uint[size]];
            _size = size;
            return;
        }

        int pieces = ((size - 1) >> PieceBits) + 1;
        uint[][] whole = [.. _table.Where(piece => piece.Length == PieceSize).Take(pieces)];
        _table = [.. whole, .. Enumerable.Range(0, pieces - whole.Length).Select(_ => new uint[PieceSize])];
        _size = pieces << PieceBits;
    }

    private void Reinsert(UInt128 hash, uint place)
    {
        uint tag = Tag(hash);
        int at = Home(hash, _size);
        uint slot;
        while ((slot = Slot(_table, at)) != 0)
        {
            // An earlier occurrence of the same hash: the newest is the one that counts.
            if (slot >> _indexBits == tag && At(slot & _indexMask) == hash)
            {
                break;
            }

            at = at + 1 == _size ? 0 : at + 1;
        }

        _occupied += slot == 0 ? 1 : 0;
        Slot(_table, at) = (tag << _indexBits) | place;
    }

    private static ref uint Slot(uint[][] table, int at) => ref table[at >> PieceBits][at & (PieceSize - 1)];

    private UInt128 At(uint place) => _ring[place >> ChunkBits]![place & (ChunkSize - 1)];

    // Never 0, so that no value is 0, which means empty.
    private uint Tag(UInt128 hash)
    {
        uint tag = (uint)(ulong)hash & _tagMask;
        return tag == 0 ? 1 : tag;
    }

    private static int Home(UInt128 hash, int size) => (int)((((ulong)(hash >> 64) >> 32) * (uint)size) >> 32);

    private unsafe void Prefetch(UInt128 hash)
    {
        if (Sse.IsSupported)
        {
            // A hint: an address that the collector has moved meanwhile costs a miss, nothing else.
            Sse.Prefetch0(Unsafe.AsPointer(ref Slot(_table, Home(hash, _size))));
        }
    }
}
