using System.Buffers;

namespace ClickAggregator.Streaming.Tests;

internal static class Slabs
{
    /// <summary>A slab of one record per offset, each of so many bytes of the low byte of its offset.</summary>
    public static Slab Of(long from, long to, int bytes = 8, int partition = 0)
    {
        int count = (int)(to - from);
        byte[] data = ArrayPool<byte>.Shared.Rent(Math.Max(1, count * bytes));
        SlabRecord[] records = ArrayPool<SlabRecord>.Shared.Rent(Math.Max(1, count));
        for (int index = 0; index < count; index++)
        {
            data.AsSpan(index * bytes, bytes).Fill((byte)(from + index));
            records[index] = new SlabRecord(from + index, 1000 + index, index * bytes, bytes);
        }

        return new Slab(partition, from, to, data, count * bytes, records, count);
    }

    /// <summary>Whether the slab's buffers are back in their pool.</summary>
    public static bool IsGone(this Slab slab)
    {
        if (!slab.TryAcquire())
        {
            return true;
        }

        slab.Release();
        return false;
    }
}
