using System.Buffers;
using ClickAggregator.ClickLog.Files;
using ClickAggregator.Clicks;

namespace ClickAggregator.ClickLog;

/// <summary>
/// Clicks on their way into the log: each is encoded into the buffer of its partition as it is added. Reusable after
/// <see cref="Clear"/>. Not safe for concurrent use, and not to be touched while an append of it is under way.
/// </summary>
public sealed class ClickBatch : IDisposable
{
    private const int FirstBytes = 4096;
    private readonly PartitionBuffer[] _partitions;

    /// <param name="partitions">As many as the log has.</param>
    public ClickBatch(int partitions)
    {
        _partitions = new PartitionBuffer[partitions];
    }

    /// <summary>How many clicks were added.</summary>
    public int Count { get; private set; }

    internal ReadOnlySpan<PartitionBuffer> Partitions => _partitions;

    /// <summary>Adds a click; it must have an id and a timestamp.</summary>
    public void Add(in Click click)
    {
        ref PartitionBuffer buffer = ref _partitions[TargetPartitioner.Partition(click.Kind, click.TargetId, _partitions.Length)];
        Span<byte> frame = Room(ref buffer, ClickRecord.MaxBytes);
        Added(ref buffer, frame, ClickRecord.Write(click, frame[BatchFormat.FrameBytes..]));
    }

    /// <summary>Adds a record as it is.</summary>
    /// <param name="partition">The partition it goes to.</param>
    /// <param name="record">At most 65,535 bytes.</param>
    public void Add(int partition, ReadOnlySpan<byte> record)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, ushort.MaxValue, nameof(record));
        ref PartitionBuffer buffer = ref _partitions[partition];
        Span<byte> frame = Room(ref buffer, record.Length);
        record.CopyTo(frame[BatchFormat.FrameBytes..]);
        Added(ref buffer, frame, record.Length);
    }

    private static Span<byte> Room(ref PartitionBuffer buffer, int bytes)
    {
        if (buffer.Bytes is null || buffer.Bytes.Length - buffer.Length < bytes + BatchFormat.FrameBytes)
        {
            Grow(ref buffer, bytes + BatchFormat.FrameBytes);
        }

        return buffer.Bytes.AsSpan(buffer.Length);
    }

    private void Added(ref PartitionBuffer buffer, Span<byte> frame, int length)
    {
        BatchFormat.WriteFrame(frame, length);
        buffer.Length += BatchFormat.FrameBytes + length;
        buffer.Count++;
        Count++;
    }

    /// <summary>Empties the batch and keeps its buffers.</summary>
    public void Clear()
    {
        foreach (ref PartitionBuffer buffer in _partitions.AsSpan())
        {
            buffer.Length = 0;
            buffer.Count = 0;
        }

        Count = 0;
    }

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        foreach (ref PartitionBuffer buffer in _partitions.AsSpan())
        {
            if (buffer.Bytes is not null)
            {
                ArrayPool<byte>.Shared.Return(buffer.Bytes);
                buffer = default;
            }
        }

        Count = 0;
    }

    private static void Grow(ref PartitionBuffer buffer, int room)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBytes, (buffer.Bytes?.Length ?? 0) * 2) + room);
        if (buffer.Bytes is not null)
        {
            buffer.Bytes.AsSpan(0, buffer.Length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer.Bytes);
        }

        buffer.Bytes = larger;
    }

    internal struct PartitionBuffer
    {
        public byte[]? Bytes;
        public int Length;
        public int Count;
    }
}
