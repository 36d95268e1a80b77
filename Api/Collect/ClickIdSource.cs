using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ClickAggregator.Api.Collect;

/// <summary>
/// Makes the ids of clicks that came without one: ULIDs, 26 characters, milliseconds first and 80 further bits. Each
/// thread counts up from a random start of its own, so two ids meet only if two of those ranges do: about n in 2^80.
/// </summary>
internal static class ClickIdSource
{
    /// <summary>How many bytes <see cref="Write"/> writes.</summary>
    public const int Bytes = 26;

    [ThreadStatic]
    private static Counter? t_counter;

    private static ReadOnlySpan<byte> Crockford => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"u8;

    /// <param name="now">Milliseconds since the epoch.</param>
    /// <param name="id">At least <see cref="Bytes"/> long.</param>
    public static void Write(long now, Span<byte> id)
    {
        Counter counter = t_counter ??= new Counter();
        counter.Next();
        ReadOnlySpan<byte> digits = Crockford;
        long time = now;
        for (int i = 9; i >= 0; i--)
        {
            id[i] = digits[(int)(time & 31)];
            time >>= 5;
        }

        // 80 bits are 16 digits: 8 of the lower 40 bits, 8 of the upper 40.
        ulong low = counter.Low;
        ulong high = ((ulong)counter.High << 24) | (low >> 40);
        for (int i = 25; i >= 18; i--)
        {
            id[i] = digits[(int)(low & 31)];
            low >>= 5;
        }

        for (int i = 17; i >= 10; i--)
        {
            id[i] = digits[(int)(high & 31)];
            high >>= 5;
        }
    }

    private sealed class Counter
    {
        public Counter()
        {
            Span<byte> seed = stackalloc byte[10];
            RandomNumberGenerator.Fill(seed);
            Low = BinaryPrimitives.ReadUInt64LittleEndian(seed);
            High = BinaryPrimitives.ReadUInt16LittleEndian(seed[8..]);
        }

        public ulong Low { get; private set; }

        public ushort High { get; private set; }

        public void Next()
        {
            if (++Low == 0)
            {
                High++;
            }
        }
    }
}
