using System.Buffers.Binary;

namespace ClickAggregator.Clicks;

/// <summary>
/// Which partition a target's clicks go to: as Kafka's Java client places the key <c>{kind}:{id}</c>,
/// so that any producer that sets this key agrees, and one target always lands in one partition.
/// </summary>
public static class TargetPartitioner
{
    /// <param name="kind">The kind of target.</param>
    /// <param name="id">The target's id, at most <see cref="IdRules.MaxBytes"/> bytes.</param>
    /// <param name="partitions">How many there are, from 1.</param>
    /// <returns>From 0 to <paramref name="partitions"/> - 1.</returns>
    public static int Partition(TargetKind kind, ReadOnlySpan<byte> id, int partitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        Span<byte> key = stackalloc byte[MaxKeyBytes];
        int length = WriteKey(kind, id, key);
        // The client masks the sign instead of taking the absolute value, which int.MinValue has none of.
        return (Murmur2(key[..length]) & 0x7fffffff) % partitions;
    }

    /// <summary>The longest key.</summary>
    public const int MaxKeyBytes = 6 + IdRules.MaxBytes;

    /// <summary>Writes the record key <c>{kind}:{id}</c> and gives its length.</summary>
    public static int WriteKey(TargetKind kind, ReadOnlySpan<byte> id, Span<byte> destination)
    {
        ReadOnlySpan<byte> prefix = TargetKinds.Prefix(kind);
        prefix.CopyTo(destination);
        id.CopyTo(destination[prefix.Length..]);
        return prefix.Length + id.Length;
    }

    /// <summary>MurmurHash2, 32 bits, with the seed of Kafka's clients (org.apache.kafka.common.utils.Utils.murmur2).</summary>
    internal static int Murmur2(ReadOnlySpan<byte> data)
    {
        const uint M = 0x5bd1e995;
        uint hash = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(data) * M;
            k ^= k >> 24;
            hash = (hash * M) ^ (k * M);
            data = data[4..];
        }

        if (data.Length > 0)
        {
            uint tail = data[0];
            if (data.Length > 1)
            {
                tail |= (uint)data[1] << 8;
            }

            if (data.Length > 2)
            {
                tail |= (uint)data[2] << 16;
            }

            hash = (hash ^ tail) * M;
        }

        hash ^= hash >> 13;
        hash *= M;
        hash ^= hash >> 15;
        return (int)hash;
    }
}
