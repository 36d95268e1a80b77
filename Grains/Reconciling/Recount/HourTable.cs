using System.IO.Hashing;
using System.Text;

namespace ClickAggregator.Grains.Reconciling.Recount;

/// <summary>
/// Counts per minute of the series of one hour, found by their names in UTF-8: about 120 bytes a series. It holds a stretch of
/// the hashes of names: all of them at first; where it would become too large, the lower half, and the next pass over the clicks
/// the rest. Not safe for concurrent use.
/// </summary>
internal sealed class HourTable
{
    public const int Minutes = 60;

    private const int ChunkBits = 12;
    private const int ChunkSize = 1 << ChunkBits;

    /// <summary>What the counts of a view that differ weigh, measured in series.</summary>
    private const int DifferenceWeight = 5;

    private readonly int _most;
    private readonly long _seed;
    private readonly List<byte[]> _small = [];
    private readonly Dictionary<int, long[]>[] _differences = [[], [], []];
    private int[] _slots = new int[1024];
    private ulong[] _hashes = new ulong[256];
    private int[] _ends = new int[256];
    private long[] _uptos = new long[256];
    private bool[] _seen = new bool[256];
    private long[]?[] _large = new long[]?[256];
    private byte[] _names = new byte[4096];

    /// <param name="most">How many series it holds; at least 1.</param>
    /// <param name="seed">Of the hashes; ids come from outside, so nobody outside may know it.</param>
    public HourTable(int most, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        _most = most;
        _seed = seed;
    }

    /// <summary>How many series it holds.</summary>
    public int Count { get; private set; }

    /// <summary>The first hash it holds.</summary>
    public ulong First { get; private set; }

    /// <summary>The last hash it holds.</summary>
    public ulong Last { get; private set; } = ulong.MaxValue;

    /// <summary>Grows whenever the numbers of series change.</summary>
    public int Generation { get; private set; }

    /// <summary>Begins anew, with the hashes from one on to another.</summary>
    public void Begin(ulong first, ulong last = ulong.MaxValue)
    {
        First = first;
        Last = last;
        Clear();
    }

    /// <summary>Forgets the counts and keeps the stretch.</summary>
    public void Clear()
    {
        Count = 0;
        Generation++;
        Array.Clear(_slots);
        Array.Clear(_large);
        Array.Clear(_seen);
        foreach (byte[] chunk in _small)
        {
            Array.Clear(chunk);
        }

        foreach (Dictionary<int, long[]> view in _differences)
        {
            view.Clear();
        }
    }

    /// <summary>The number of a series, made where it is new; -1 where its hash lies in another stretch.</summary>
    public int Find(ReadOnlySpan<byte> name)
    {
        ulong hash = XxHash3.HashToUInt64(name, _seed);
        if (hash < First || hash > Last)
        {
            return -1;
        }

        int number = Lookup(name, hash, out int at);
        return number >= 0 ? number : Add(name, hash, at);
    }

    /// <summary>The number of a series that it holds; -1 for none.</summary>
    public int Lookup(string series)
    {
        Span<byte> name = stackalloc byte[512];
        if (Encoding.UTF8.GetMaxByteCount(series.Length) > name.Length)
        {
            name = new byte[Encoding.UTF8.GetMaxByteCount(series.Length)];
        }

        name = name[..Encoding.UTF8.GetBytes(series, name)];
        return Lookup(name, XxHash3.HashToUInt64(name, _seed), out _);
    }

    /// <summary>Whether a series' hash lies in the stretch.</summary>
    public bool Covers(string series)
    {
        ulong hash = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(series), _seed);
        return hash >= First && hash <= Last;
    }

    public bool Is(int number, ReadOnlySpan<byte> name) => Name(number).SequenceEqual(name);

    public string Series(int number) => Encoding.UTF8.GetString(Name(number));

    public ReadOnlySpan<byte> Name(int number)
    {
        int start = number == 0 ? 0 : _ends[number - 1];
        return _names.AsSpan(start, _ends[number] - start);
    }

    /// <summary>Counts clicks.</summary>
    /// <param name="number">The series.</param>
    /// <param name="minute">Of the hour.</param>
    /// <param name="upto">The offset behind them in the log; 0 where nobody asks for <see cref="Upto"/>.</param>
    /// <param name="clicks">How many.</param>
    public void Add(int number, int minute, long upto, long clicks = 1)
    {
        ref long end = ref _uptos[number];
        end = Math.Max(end, upto);
        if (_large[number] is { } large)
        {
            large[minute] += clicks;
            return;
        }

        ref byte small = ref _small[number >> ChunkBits][((number & (ChunkSize - 1)) * Minutes) + minute];
        if (small + clicks <= byte.MaxValue)
        {
            small += (byte)clicks;
        }
        else
        {
            // The others go on in small steps.
            large = new long[Minutes];
            Copy(number, large);
            large[minute] += clicks;
            _large[number] = large;
        }
    }

    /// <summary>Says that a view has more (or fewer) clicks than the counts.</summary>
    public void Differ(HourView view, int number, int minute, int by)
    {
        Dictionary<int, long[]> differences = _differences[(int)view];
        if (!differences.TryGetValue(number, out long[]? minutes))
        {
            differences[number] = minutes = new long[Minutes];
        }

        minutes[minute] += by;
    }

    /// <summary>
    /// Keeps the lower half of the stretch where it became too large. To be called between two clicks: it changes the numbers.
    /// </summary>
    public void Shrink()
    {
        while (Count + (DifferenceWeight * (_differences[0].Count + _differences[1].Count + _differences[2].Count)) > _most && First < Last && Count > 1)
        {
            Halve();
        }
    }

    /// <summary>Behind which offset every counted click of a series is; 0 for none. What holds them all was applied up to there at least.</summary>
    public long Upto(int number) => number < 0 ? 0 : _uptos[number];

    /// <summary>The same of all series that it holds now.</summary>
    public long LastUpto => Count == 0 ? 0 : _uptos.Take(Count).Max();

    /// <summary>The counts per minute.</summary>
    public long[] Counts(int number)
    {
        long[] minutes = new long[Minutes];
        if (number >= 0)
        {
            Copy(number, minutes);
        }

        return minutes;
    }

    /// <summary>What a view has more per minute; null for nothing.</summary>
    public long[]? Difference(HourView view, int number) =>
        _differences[(int)view].TryGetValue(number, out long[]? minutes) && minutes.AsSpan().ContainsAnyExcept(0L) ? minutes : null;

    /// <summary>The series for which a view differs.</summary>
    public IEnumerable<int> Different(HourView view) => _differences[(int)view].Keys;

    /// <summary>The first minute of a series that another table, of the same seed and stretch, has not the same count of; null for none.</summary>
    public (string Series, int Minute, long These, long Those)? FirstUnlike(HourTable other)
    {
        Span<long> these = stackalloc long[Minutes];
        Span<long> those = stackalloc long[Minutes];
        for (int number = 0; number < Count; number++)
        {
            int same = other.Lookup(Name(number), _hashes[number], out _);
            Copy(number, these);
            those.Clear();
            if (same >= 0)
            {
                other.Copy(same, those);
            }

            if (these.CommonPrefixLength(those) is < Minutes and var minute)
            {
                return (Series(number), minute, these[minute], those[minute]);
            }
        }

        for (int number = 0; number < other.Count; number++)
        {
            other.Copy(number, those);
            if (Lookup(other.Name(number), other._hashes[number], out _) < 0 && those.IndexOfAnyExcept(0L) is >= 0 and var minute)
            {
                return (other.Series(number), minute, 0, those[minute]);
            }
        }

        return null;
    }

    /// <summary>Whether a series was seen in the store.</summary>
    public bool WasSeen(int number) => _seen[number];

    public void See(int number) => _seen[number] = true;

    public void SeeNothing() => Array.Clear(_seen);

    private int Lookup(ReadOnlySpan<byte> name, ulong hash, out int at)
    {
        int mask = _slots.Length - 1;
        for (at = (int)hash & mask; _slots[at] is > 0 and var slot; at = (at + 1) & mask)
        {
            if (_hashes[slot - 1] == hash && Is(slot - 1, name))
            {
                return slot - 1;
            }
        }

        return -1;
    }

    private int Add(ReadOnlySpan<byte> name, ulong hash, int at)
    {
        if ((Count + 1) * 2 > _slots.Length)
        {
            Rehash(_slots.Length * 2);
            Lookup(name, hash, out at);
        }

        if (Count == _hashes.Length)
        {
            Array.Resize(ref _hashes, Count * 2);
            Array.Resize(ref _ends, Count * 2);
            Array.Resize(ref _uptos, Count * 2);
            Array.Resize(ref _seen, Count * 2);
            Array.Resize(ref _large, Count * 2);
        }

        int start = Count == 0 ? 0 : _ends[Count - 1];
        if (start + name.Length > _names.Length)
        {
            Array.Resize(ref _names, Math.Max(_names.Length * 2, start + name.Length));
        }

        if (Count >> ChunkBits == _small.Count)
        {
            _small.Add(new byte[ChunkSize * Minutes]);
        }

        name.CopyTo(_names.AsSpan(start));
        _ends[Count] = start + name.Length;
        _hashes[Count] = hash;
        _uptos[Count] = 0;
        _slots[at] = Count + 1;
        return Count++;
    }

    private void Rehash(int size)
    {
        _slots = new int[size];
        for (int number = 0; number < Count; number++)
        {
            int at = (int)_hashes[number] & (size - 1);
            while (_slots[at] != 0)
            {
                at = (at + 1) & (size - 1);
            }

            _slots[at] = number + 1;
        }
    }

    private void Halve()
    {
        Last = First + ((Last - First) >> 1);
        int kept = 0;
        int end = 0;
        int start = 0;
        var numbers = new Dictionary<int, int>();
        for (int number = 0; number < Count; number++)
        {
            int next = _ends[number];
            if (_hashes[number] <= Last)
            {
                _names.AsSpan(start, next - start).CopyTo(_names.AsSpan(end));
                end += next - start;
                _ends[kept] = end;
                _hashes[kept] = _hashes[number];
                _uptos[kept] = _uptos[number];
                _seen[kept] = _seen[number];
                _large[kept] = _large[number];
                Small(number).CopyTo(Small(kept));
                numbers[number] = kept++;
            }

            start = next;
        }

        for (int number = kept; number < Count; number++)
        {
            Small(number).Clear();
            _large[number] = null;
            _seen[number] = false;
        }

        for (int view = 0; view < _differences.Length; view++)
        {
            _differences[view] = _differences[view].Where(pair => numbers.ContainsKey(pair.Key)).ToDictionary(pair => numbers[pair.Key], pair => pair.Value);
        }

        Count = kept;
        Generation++;
        Rehash(_slots.Length);
    }

    private Span<byte> Small(int number) => _small[number >> ChunkBits].AsSpan((number & (ChunkSize - 1)) * Minutes, Minutes);

    private void Copy(int number, Span<long> minutes)
    {
        if (_large[number] is { } large)
        {
            large.CopyTo(minutes);
            return;
        }

        ReadOnlySpan<byte> small = Small(number);
        for (int minute = 0; minute < Minutes; minute++)
        {
            minutes[minute] = small[minute];
        }
    }
}

/// <summary>Counts beside the ones that a recount expects; they are kept as what they have more.</summary>
internal enum HourView
{
    /// <summary>With the repeats that are removed from the hour.</summary>
    WithRepeats = 0,

    /// <summary>With the clicks that are taken back now and were not at the last finalisation, without those that were then and are not now.</summary>
    BeforeTaking = 1,

    /// <summary>As they were at the last finalisation.</summary>
    Former = 2,
}
