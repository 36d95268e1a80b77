namespace ClickAggregator.Adapters.Sqlite;

/// <summary>
/// Counts in a few bytes: for each that is not 0 its index and a varint. Most windows have clicks in a few minutes
/// only, so 60 minutes take some 10 bytes instead of 480.
/// </summary>
internal static class CountCodec
{
    /// <summary>The most bytes that <see cref="Write"/> takes for 96 counts.</summary>
    public const int MaxBytes = 96 * 11;

    public static int Write(ReadOnlySpan<long> counts, Span<byte> to)
    {
        int length = 0;
        for (int n = 0; n < counts.Length; n++)
        {
            if (counts[n] != 0)
            {
                to[length++] = (byte)n;
                length = WriteVarint(to, length, counts[n]);
            }
        }

        return length;
    }

    /// <exception cref="StoreUnusableException">The bytes are damaged.</exception>
    public static void Read(ReadOnlySpan<byte> bytes, Span<long> counts)
    {
        if (!TryRead(bytes, counts))
        {
            throw new StoreUnusableException("a row of the store is damaged: it holds no counts");
        }
    }

    /// <summary>
    /// Reads counts; false, and no counts, where the bytes are damaged. Who reads a window or a day says then what is said of any row that is
    /// known to be wrong: it is set aside, until a recount restores it.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, Span<long> counts)
    {
        counts.Clear();
        int at = 0;
        while (at < bytes.Length)
        {
            int index = bytes[at++];
            if (index >= counts.Length || !TryReadVarint(bytes, ref at, out counts[index]))
            {
                counts.Clear();
                return false;
            }
        }

        return true;
    }

    public static long Sum(ReadOnlySpan<long> counts)
    {
        long sum = 0;
        foreach (long count in counts)
        {
            sum += count;
        }

        return sum;
    }

    public static int WriteVarint(Span<byte> to, int at, long value)
    {
        ulong left = (ulong)value;
        while (left >= 0x80)
        {
            to[at++] = (byte)(left | 0x80);
            left >>= 7;
        }

        to[at++] = (byte)left;
        return at;
    }

    /// <summary>Reads a number; false where there is none, or less than nothing.</summary>
    public static bool TryReadVarint(ReadOnlySpan<byte> bytes, ref int at, out long value)
    {
        ulong read = 0;
        for (int shift = 0; shift < 64 && at < bytes.Length; shift += 7)
        {
            byte next = bytes[at++];
            read |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                value = (long)read;
                return value >= 0;
            }
        }

        value = 0;
        return false;
    }
}
