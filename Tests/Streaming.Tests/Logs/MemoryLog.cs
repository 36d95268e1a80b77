using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace ClickAggregator.Streaming.Tests.Logs;

/// <summary>A partitioned log in memory, with holes in its offsets and faults on demand.</summary>
internal sealed class MemoryLog(int partitions) : IPartitionLog
{
    private volatile Partition[] _partitions = [.. Enumerable.Range(0, partitions).Select(_ => new Partition())];
    private volatile bool _away;
    private int _faults;
    private int _opened;

    /// <summary>Every slab that readers returned.</summary>
    public ConcurrentQueue<Slab> Slabs { get; } = new();

    /// <summary>The bytes of the slabs whose buffers are out of their pool.</summary>
    public long HeldBytes => Slabs.Where(slab => !slab.IsGone()).Sum(slab => (long)slab.DataLength);

    /// <summary>How often a reader was opened.</summary>
    public int Opened => Volatile.Read(ref _opened);

    /// <summary>The next so many reads fail.</summary>
    public void FailReads(int times) => Interlocked.Exchange(ref _faults, times);

    /// <summary>Whether the log says how many partitions it has.</summary>
    public void BeAway(bool away) => _away = away;

    /// <summary>Adds partitions, as a topic may get some.</summary>
    public void AddPartitions(int count) =>
        _partitions = [.. _partitions, .. Enumerable.Range(0, count).Select(_ => new Partition())];

    public long Append(int partition, ReadOnlySpan<byte> value)
    {
        Partition target = _partitions[partition];
        lock (target)
        {
            target.Records.Add((target.End, value.ToArray()));
            return target.End++;
        }
    }

    public long Append(int partition, int records, int bytes)
    {
        var value = new byte[bytes];
        long last = 0;
        for (int record = 0; record < records; record++)
        {
            BitConverter.TryWriteBytes(value, record);
            last = Append(partition, value);
        }

        return last + 1;
    }

    /// <summary>Offsets that hold no record, as Kafka's transaction markers are.</summary>
    public void AppendHole(int partition, int offsets)
    {
        Partition target = _partitions[partition];
        lock (target)
        {
            target.End += offsets;
        }
    }

    public void TrimStart(int partition, long start)
    {
        Partition target = _partitions[partition];
        lock (target)
        {
            target.Start = start;
            target.Records.RemoveAll(record => record.Offset < start);
        }
    }

    /// <summary>The offsets of the records in a range.</summary>
    public long[] Offsets(int partition, long from, long to)
    {
        Partition target = _partitions[partition];
        lock (target)
        {
            return [.. target.Records.Select(record => record.Offset).Where(offset => offset >= from && offset < to)];
        }
    }

    public ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken) => new(new LogId("memory"));

    public ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken) =>
        _away ? throw new IOException("the log is away") : new(_partitions.Length);

    public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken) =>
        new(_partitions[partition].Range);

    public async IAsyncEnumerable<Slab> ReadAsync(
        int partition, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LogRange held = _partitions[partition].Range;
        if (from < held.Start || to > held.End || from > to)
        {
            throw new OffsetOutOfRangeException(partition, from, to, held);
        }

        long position = from;
        do
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            Slab slab = Read(partition, position, to, 64 << 10);
            position = slab.To;
            yield return slab;
        }
        while (position < to);
    }

    public ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _opened);
        LogRange held = _partitions[partition].Range;
        return from < held.Start || from > held.End
            ? throw new OffsetOutOfRangeException(partition, from, from, held)
            : new(new Reader(this, partition, from));
    }

    private Slab Read(int partition, long from, long to, int maxBytes)
    {
        Partition source = _partitions[partition];
        lock (source)
        {
            if (from < source.Start)
            {
                throw new OffsetOutOfRangeException(partition, from, to, new LogRange(source.Start, source.End));
            }

            int first = source.Records.FindIndex(record => record.Offset >= from);
            int end = first < 0 ? 0 : first;
            int bytes = 0;
            while (first >= 0 && end < source.Records.Count && source.Records[end].Offset < to
                && (bytes == 0 || bytes + source.Records[end].Value.Length <= maxBytes))
            {
                bytes += source.Records[end++].Value.Length;
            }

            int count = first < 0 ? 0 : end - first;
            byte[] data = ArrayPool<byte>.Shared.Rent(Math.Max(1, bytes));
            SlabRecord[] records = ArrayPool<SlabRecord>.Shared.Rent(Math.Max(1, count));
            int at = 0;
            for (int index = 0; index < count; index++)
            {
                (long offset, byte[] value) = source.Records[first + index];
                value.CopyTo(data, at);
                records[index] = new SlabRecord(offset, 1_000_000 + offset, at, value.Length);
                at += value.Length;
            }

            bool all = count == 0 || end == source.Records.Count || source.Records[end].Offset >= to;
            long covered = all ? Math.Min(to, source.End) : records[count - 1].Offset + 1;
            return new Slab(partition, from, covered, data, at, records, count);
        }
    }

    private void MaybeFail()
    {
        if (Volatile.Read(ref _faults) > 0 && Interlocked.Decrement(ref _faults) >= 0)
        {
            throw new IOException("the disk is away");
        }
    }

    private sealed class Partition
    {
        public List<(long Offset, byte[] Value)> Records { get; } = [];

        public long Start { get; set; }

        public long End { get; set; }

        public LogRange Range
        {
            get
            {
                lock (this)
                {
                    return new LogRange(Start, End);
                }
            }
        }
    }

    private sealed class Reader(MemoryLog log, int partition, long from) : IPartitionReader
    {
        public long Position { get; private set; } = from;

        public async ValueTask<Slab?> ReadAsync(int maxBytes, CancellationToken cancellationToken)
        {
            await Task.Yield();
            log.MaybeFail();
            LogRange held = log._partitions[partition].Range;
            if (Position == held.End)
            {
                return null;
            }

            Slab slab = log.Read(partition, Position, held.End, maxBytes);
            Position = slab.To;
            log.Slabs.Enqueue(slab);
            return slab;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
