using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ClickAggregator.Grains.Counting;

/// <summary>
/// Says whether a click's hash occurred before, within both bounds: at most a horizon of log time ago, and within the
/// last so many records. A function of the records alone, so it can be thrown away and read back from the log.
/// </summary>
/// <remarks>
/// A ring holds the hashes of the last records by their running number; an open table of 4-byte slots finds them, each
/// slot the ring's index and a few bits of the hash, so that a hash never seen costs one cache line. What fell out of
/// the bounds stays in the table until the next rebuild and is recognised by comparing with the ring: 16 bytes a record
/// in the ring, 5.3 to 16 in the table. Times are kept as runs, since many records share an append time.
/// </remarks>
public sealed class DuplicateSet
{
    private const int FirstCapacity = 1 << 12;
    private readonly long _horizonMs;
    private readonly int _maxIds;
    private UInt128[] _ring = new UInt128[FirstCapacity];
    private uint[] _table = new uint[FirstCapacity * 2];
    private int _inserted;
    private readonly Queue<(long End, long Time, long Offset)> _runs = new();
    private (long Time, long Offset) _lastRun = (long.MinValue, long.MaxValue);
    private long _next;
    private long _oldest;

    /// <param name="horizonMs">Milliseconds of log time, at least 0.</param>
    /// <param name="maxIds">Records, 1 to 67,108,864.</param>
    public DuplicateSet(long horizonMs, int maxIds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(horizonMs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxIds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxIds, 1 << 26);
        _horizonMs = horizonMs;
        _maxIds = maxIds;
    }

    /// <summary>Records that can still be repeated.</summary>
    public long Live => _next - _oldest;

    /// <summary>Bytes held.</summary>
    public long Bytes => (_ring.LongLength * 16) + (_table.LongLength * 4) + (_runs.Count * 24L);

    /// <summary>The offset from which the log has to be read to make this set again; max where it is empty.</summary>
    public long FromOffset => _runs.TryPeek(out var run) ? run.Offset : _lastRun.Offset;

    /// <summary>Fetches what <see cref="Observe"/> will look at, a few dozen records ahead.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prefetch(UInt128 hash)
    {
        if (Sse.IsSupported)
        {
            // An address of an array that may move meanwhile: a prefetch of the wrong line costs nothing.
            Sse.Prefetch0(Unsafe.AsPointer(ref _table[Home(hash)]));
        }
    }

    /// <summary>Notes a record; true where its hash occurred before within both bounds.</summary>
    /// <param name="hash">Of target and click id.</param>
    /// <param name="time">Its log time, milliseconds. A time below the one before counts as that one: a partition
    /// that got another leader may step back a little.</param>
    /// <param name="offset">Its offset: ascending, with holes.</param>
    public bool Observe(UInt128 hash, long time, long offset)
    {
        long record = _next;
        NoteTime(record, Math.Max(time, _lastRun.Time), offset);
        Expire(record);
        MakeRoom();

        int ringMask = _ring.Length - 1;
        int tagShift = TagShift();
        uint tagMask = uint.MaxValue << tagShift;
        uint mine = SlotOf(hash, record, tagShift);
        int at = Home(hash);
        bool repeats = false;
        while (true)
        {
            uint slot = _table[at];
            if (slot == 0)
            {
                _table[at] = mine;
                _inserted++;
                break;
            }

            if (((slot ^ mine) & tagMask) == 0)
            {
                int index = (int)((slot & ~tagMask) >> 1);
                long back = (record - index) & ringMask;
                long seen = record - (back == 0 ? _ring.Length : back);

                // What is not older than the oldest is within both bounds: that is what the oldest means.
                if (seen >= _oldest && _ring[index] == hash)
                {
                    repeats = true;
                    _table[at] = mine; // each occurrence is the last one, whether or not it counted itself
                    break;
                }
            }

            if (++at == _table.Length)
            {
                at = 0;
            }
        }

        _ring[(int)(record & ringMask)] = hash;
        _next = record + 1;
        return repeats;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Home(UInt128 hash) => (int)(((ulong)(uint)hash * (ulong)_table.Length) >> 32);

    private int TagShift() => BitOperations.Log2((uint)_ring.Length) + 1;

    /// <summary>Bits of the hash, the ring's index, and a 1, so that no slot in use is 0.</summary>
    private uint SlotOf(UInt128 hash, long record, int tagShift) =>
        (uint)((ulong)(hash >> 64) << tagShift) | (uint)((record & (_ring.Length - 1)) << 1) | 1;

    private void NoteTime(long record, long time, long offset)
    {
        if (time != _lastRun.Time)
        {
            if (_lastRun.Offset != long.MaxValue)
            {
                _runs.Enqueue((record, _lastRun.Time, _lastRun.Offset));
            }

            _lastRun = (time, offset);
        }
    }

    /// <summary>Moves the oldest record that a repeat of can still be told.</summary>
    private void Expire(long record)
    {
        long byCount = record - _maxIds;
        while (_runs.TryPeek(out (long End, long Time, long Offset) run)
            && (_lastRun.Time - run.Time > _horizonMs || run.End <= byCount))
        {
            _runs.Dequeue();
            _oldest = run.End;
        }

        _oldest = Math.Max(_oldest, byCount);
    }

    private void MakeRoom()
    {
        if (_next - _oldest >= _ring.Length)
        {
            var larger = new UInt128[_ring.Length * 2];
            for (long record = _oldest; record < _next; record++)
            {
                larger[(int)(record & (larger.Length - 1))] = _ring[(int)(record & (_ring.Length - 1))];
            }

            _ring = larger;
            Rebuild();
        }
        else if (_inserted >= _table.Length / 4 * 3)
        {
            Rebuild();
        }
    }

    /// <summary>Leaves out what fell out of the bounds; the table is at most half full afterwards.</summary>
    private void Rebuild()
    {
        long live = _next - _oldest;
        int size = (int)Math.Clamp(live * 2, FirstCapacity * 2, int.MaxValue / 2);
        if (size > _table.Length || size < _table.Length / 4)
        {
            _table = new uint[size];
        }
        else
        {
            Array.Clear(_table);
        }

        _inserted = 0;
        int tagShift = TagShift();
        uint tagMask = uint.MaxValue << tagShift;
        for (long record = _oldest; record < _next; record++)
        {
            UInt128 hash = _ring[(int)(record & (_ring.Length - 1))];
            uint mine = SlotOf(hash, record, tagShift);
            int at = Home(hash);
            while (_table[at] != 0)
            {
                // An earlier occurrence of the same hash gives way to the later one.
                uint slot = _table[at];
                if (((slot ^ mine) & tagMask) == 0 && _ring[(int)((slot & ~tagMask) >> 1)] == hash)
                {
                    _inserted--;
                    break;
                }

                if (++at == _table.Length)
                {
                    at = 0;
                }
            }

            _table[at] = mine;
            _inserted++;
        }
    }
}
