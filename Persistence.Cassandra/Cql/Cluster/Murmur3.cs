using System.Buffers.Binary;
using System.Numerics;

namespace ClickAggregator.Persistence.Cassandra.Cql.Cluster;

/// <summary>
/// The token of a partition key: the first half of MurmurHash3 x64 128 with seed 0, as Cassandra's Murmur3Partitioner has
/// it. It differs from the original in the tail, whose bytes are taken as signed, and never is long.MinValue.
/// </summary>
internal static class Murmur3
{
    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    public static long Token(ReadOnlySpan<byte> key)
    {
        ulong h1 = 0;
        ulong h2 = 0;
        ReadOnlySpan<byte> rest = key;
        for (; rest.Length >= 16; rest = rest[16..])
        {
            h1 ^= Mix1(BinaryPrimitives.ReadUInt64LittleEndian(rest));
            h1 = ((BitOperations.RotateLeft(h1, 27) + h2) * 5) + 0x52dce729;
            h2 ^= Mix2(BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            h2 = ((BitOperations.RotateLeft(h2, 31) + h1) * 5) + 0x38495ab5;
        }

        if (rest.Length > 8)
        {
            h2 ^= Mix2(Tail(rest[8..]));
        }

        if (rest.Length > 0)
        {
            h1 ^= Mix1(Tail(rest[..Math.Min(8, rest.Length)]));
        }

        h1 ^= (ulong)key.Length;
        h2 ^= (ulong)key.Length;
        h1 += h2;
        h2 += h1;
        h1 = Finish(h1);
        h2 = Finish(h2);
        h1 += h2;
        return (long)h1 == long.MinValue ? long.MaxValue : (long)h1;
    }

    private static ulong Mix1(ulong k) => BitOperations.RotateLeft(k * C1, 31) * C2;

    private static ulong Mix2(ulong k) => BitOperations.RotateLeft(k * C2, 33) * C1;

    // Java's bytes are signed: a byte from 0x80 on flips all the bits above it.
    private static ulong Tail(ReadOnlySpan<byte> bytes)
    {
        ulong k = 0;
        for (int index = 0; index < bytes.Length; index++)
        {
            k ^= (ulong)(long)(sbyte)bytes[index] << (8 * index);
        }

        return k;
    }

    private static ulong Finish(ulong k)
    {
        k ^= k >> 33;
        k *= 0xff51afd7ed558ccd;
        k ^= k >> 33;
        k *= 0xc4ceb9fe1a85ec53;
        return k ^ (k >> 33);
    }
}
