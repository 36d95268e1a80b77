using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using ClickAggregator.Streaming;

namespace ClickAggregator.Grains.Reconciling.Replay;

/// <summary>
/// What came out of a replay log for one try, put back where it first was: in the order of the first offsets, each once, however
/// often and in whatever order it came. About 170 bytes a click. Not safe for concurrent use.
/// </summary>
internal sealed class ReplayedRecords(Guid replay)
{
    private const int SlabRecords = 4096;
    private readonly List<Place> _places = [];
    private byte[] _bytes = new byte[1 << 16];
    private int _used;
    private int _partition;

    /// <summary>How many different ones there are, once they were put in order.</summary>
    public int Count => _places.Count;

    /// <summary>The sum of the hashes of all, once they were put in order.</summary>
    public UInt128 Sum { get; private set; }

    /// <summary>What a record adds to the sum.</summary>
    public static UInt128 HashOf(ReadOnlySpan<byte> record) => XxHash128.HashToUInt128(record);

    /// <summary>Takes the records of the try; others are left where they are.</summary>
    public void Take(Slab slab)
    {
        foreach (ref readonly SlabRecord record in slab.Records)
        {
            if (record.IsDamaged)
            {
                continue; // it will be missing
            }

            ReadOnlySpan<byte> bytes = slab.Value(in record);
            if (!ReplayEnvelope.TryRead(bytes, out ReplayEnvelope envelope) || envelope.Replay != replay)
            {
                continue;
            }

            if (_used + bytes.Length > _bytes.Length)
            {
                Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(_bytes.Length * 2L, _used + (long)bytes.Length)));
            }

            bytes.CopyTo(_bytes.AsSpan(_used));
            _places.Add(new Place(envelope.Offset, envelope.Timestamp, _used, bytes.Length, envelope.Taken));
            _used += bytes.Length;
            _partition = envelope.Partition;
        }
    }

    /// <summary>Puts them in order, and leaves out what came again.</summary>
    public void Order()
    {
        _places.Sort(static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Start.CompareTo(b.Start));
        int kept = 0;
        Sum = 0;
        foreach (Place place in CollectionsMarshal.AsSpan(_places))
        {
            if (kept == 0 || _places[kept - 1].Offset != place.Offset)
            {
                Sum += HashOf(_bytes.AsSpan(place.Start, place.Length));
                _places[kept++] = place;
            }
        }

        _places.RemoveRange(kept, _places.Count - kept);
    }

    /// <summary>
    /// The clicks as the log that was counted had them: without envelopes, with their first offsets and times. Stretches of clicks that
    /// count and of clicks that are taken back follow each other. The caller releases each slab.
    /// </summary>
    public IEnumerable<(Slab Slab, bool Taken)> Slabs()
    {
        for (int from = 0; from < _places.Count;)
        {
            int to = from + 1;
            while (to < _places.Count && to - from < SlabRecords && _places[to].Taken == _places[from].Taken)
            {
                to++;
            }

            yield return (SlabOf(from, to), _places[from].Taken);
            from = to;
        }
    }

    private Slab SlabOf(int from, int to)
    {
        ReadOnlySpan<Place> places = CollectionsMarshal.AsSpan(_places)[from..to];
        int bytes = 0;
        foreach (Place place in places)
        {
            bytes += place.Length - ReplayEnvelope.Bytes;
        }

        byte[] data = ArrayPool<byte>.Shared.Rent(Math.Max(1, bytes));
        SlabRecord[] records = ArrayPool<SlabRecord>.Shared.Rent(places.Length);
        int at = 0;
        for (int n = 0; n < places.Length; n++)
        {
            ReadOnlySpan<byte> click = _bytes.AsSpan(places[n].Start, places[n].Length)[ReplayEnvelope.Bytes..];
            click.CopyTo(data.AsSpan(at));
            records[n] = new SlabRecord(places[n].Offset, places[n].Timestamp, at, click.Length);
            at += click.Length;
        }

        return new Slab(_partition, places[0].Offset, places[^1].Offset + 1, data, at, records, places.Length);
    }

    private readonly record struct Place(long Offset, long Timestamp, int Start, int Length, bool Taken);
}
