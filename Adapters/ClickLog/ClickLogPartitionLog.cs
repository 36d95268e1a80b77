using System.Runtime.CompilerServices;
using ClickAggregator.ClickLog;
using ClickAggregator.Streaming;

namespace ClickAggregator.Adapters.ClickLog;

/// <summary>The click log on local disk as the log that streams and replays read.</summary>
public sealed class ClickLogPartitionLog(PartitionedClickLog log) : IPartitionLog
{
    private const int RangeBytes = 4 << 20;

    public ValueTask<LogId> GetLogIdAsync(CancellationToken cancellationToken) => new(new LogId(log.LogId.ToString()));

    public ValueTask<int> GetPartitionCountAsync(CancellationToken cancellationToken) => new(log.Partitions);

    public ValueTask<LogRange> GetRangeAsync(int partition, CancellationToken cancellationToken)
    {
        (long start, long end) = log.GetRange(partition);
        return new(new LogRange(start, end));
    }

    public async IAsyncEnumerable<Slab> ReadAsync(
        int partition, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (long start, long end) = log.GetRange(partition);
        if (from < start || to > end || from > to)
        {
            throw new OffsetOutOfRangeException(partition, from, to, new LogRange(start, end));
        }

        if (from == to)
        {
            yield return SlabOf(partition, from, to);
            yield break;
        }

        using ClickLogReader reader = log.OpenReader(partition, from);
        while (reader.Position < to)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LogChunk chunk = Read(log, partition, reader, RangeBytes, to)
                ?? throw new OffsetOutOfRangeException(partition, reader.Position, to, new LogRange(start, end));
            yield return SlabOf(partition, chunk);
        }

        await ValueTask.CompletedTask;
    }

    public ValueTask<IPartitionReader> OpenAsync(int partition, long from, CancellationToken cancellationToken) =>
        new(new ClickLogPartitionReader(log, partition, from));

    internal static LogChunk? Read(PartitionedClickLog log, int partition, ClickLogReader reader, int maxBytes, long to)
    {
        try
        {
            return reader.Read(maxBytes, to);
        }
        catch (ArgumentOutOfRangeException)
        {
            (long start, long end) = log.GetRange(partition);
            throw new OffsetOutOfRangeException(partition, reader.Position, to, new LogRange(start, end));
        }
    }

    internal static Slab SlabOf(int partition, in LogChunk chunk)
    {
        SlabRecord[] records = System.Buffers.ArrayPool<SlabRecord>.Shared.Rent(chunk.Count);
        for (int n = 0; n < chunk.Count; n++)
        {
            LogRecord record = chunk.Records[n];
            records[n] = new SlabRecord(record.Offset, record.AppendTime, record.Start, record.Length);
        }

        System.Buffers.ArrayPool<LogRecord>.Shared.Return(chunk.Records);
        return new Slab(partition, chunk.From, chunk.To, chunk.Data, chunk.DataLength, records, chunk.Count);
    }

    private static Slab SlabOf(int partition, long from, long to) => new(
        partition, from, to, System.Buffers.ArrayPool<byte>.Shared.Rent(1), 0, System.Buffers.ArrayPool<SlabRecord>.Shared.Rent(1), 0);
}

/// <summary>Follows one partition of the click log.</summary>
internal sealed class ClickLogPartitionReader(PartitionedClickLog log, int partition, long from) : IPartitionReader
{
    private readonly ClickLogReader _reader = log.OpenReader(partition, from);

    public long Position => _reader.Position;

    public ValueTask<Slab?> ReadAsync(int maxBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LogChunk? chunk = ClickLogPartitionLog.Read(log, partition, _reader, maxBytes, long.MaxValue);
        return new(chunk is null ? null : ClickLogPartitionLog.SlabOf(partition, chunk.Value));
    }

    public ValueTask DisposeAsync()
    {
        _reader.Dispose();
        return ValueTask.CompletedTask;
    }
}
