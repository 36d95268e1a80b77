using System.Buffers;

namespace ClickAggregator.Streaming;

/// <summary>
/// Many records of one partition in one buffer, and the range of offsets <c>[From, To)</c> that the reader covered to
/// get them: a stream item. There is no object per record.
/// </summary>
/// <remarks>
/// The buffers are rented. Whoever wants to read a slab that others hold too takes a lease with
/// <see cref="TryAcquire"/> and gives it back with <see cref="Release"/>; with the last lease the buffers go back to
/// their pool. A slab is born with one lease, its maker's. A lease that is never given back costs a
/// buffer, never correctness.
/// </remarks>
public sealed class Slab
{
    private readonly byte[] _data;
    private readonly SlabRecord[] _records;
    private int _leases = 1;

    /// <summary>Makes a slab over rented arrays, which it will return to <see cref="ArrayPool{T}.Shared"/>.</summary>
    /// <param name="partition">The partition the records are of.</param>
    /// <param name="from">Where the reader stood before.</param>
    /// <param name="to">Where it stands now.</param>
    /// <param name="data">What the records point into.</param>
    /// <param name="dataLength">How much of <paramref name="data"/> is used.</param>
    /// <param name="records">The records, in order of their offsets.</param>
    /// <param name="count">How many of <paramref name="records"/> are used.</param>
    public Slab(int partition, long from, long to, byte[] data, int dataLength, SlabRecord[] records, int count)
    {
        Partition = partition;
        From = from;
        To = to;
        DataLength = dataLength;
        Count = count;
        _data = data;
        _records = records;
    }

    /// <summary>A slab whose buffers are gone: only its range is known, and the log still has the records.</summary>
    internal static Slab Gone(int partition, long from, long to) =>
        new(partition, from, to, [], 0, [], 0) { _leases = 0 };

    public int Partition { get; }

    /// <summary>The offset at which the covered range starts.</summary>
    public long From { get; }

    /// <summary>The offset after the covered range; at least the last record's offset + 1.</summary>
    public long To { get; }

    public int DataLength { get; }

    /// <summary>How many records there are; 0 where the range holds none.</summary>
    public int Count { get; }

    public ReadOnlySpan<SlabRecord> Records => _records.AsSpan(0, Count);

    public ReadOnlySpan<byte> Data => _data.AsSpan(0, DataLength);

    /// <summary>The bytes of one record.</summary>
    public ReadOnlySpan<byte> Value(in SlabRecord record) => _data.AsSpan(record.Start, record.Length);

    /// <summary>Takes a lease; false when the last one is gone already, and with it the buffers.</summary>
    public bool TryAcquire()
    {
        int leases = Volatile.Read(ref _leases);
        while (leases > 0)
        {
            int seen = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (seen == leases)
            {
                return true;
            }

            leases = seen;
        }

        return false;
    }

    /// <summary>Gives a lease back.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _leases);
        if (left == 0)
        {
            ArrayPool<byte>.Shared.Return(_data);
            ArrayPool<SlabRecord>.Shared.Return(_records);
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("a slab was released more often than it was acquired");
        }
    }
}

/// <summary>Where one record of a <see cref="Slab"/> lies.</summary>
/// <param name="Offset">Its offset in the partition.</param>
/// <param name="Timestamp">The log's own time of it (append time), milliseconds since the Unix epoch.</param>
/// <param name="Start">Where its bytes start in the slab's data.</param>
/// <param name="Length">How many bytes it has; -1 where the log lost the record to damage and says so.</param>
public readonly record struct SlabRecord(long Offset, long Timestamp, int Start, int Length)
{
    /// <summary>The log knows that a record was here and can no longer say which.</summary>
    public bool IsDamaged => Length < 0;
}
