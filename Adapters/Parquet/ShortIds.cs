using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace ClickAggregator.Adapters.Parquet;

/// <summary>
/// Click ids as 16 bytes, where they are UUIDs or ULIDs in exactly the form that comes back out: 36 characters in lower case,
/// or 26 in upper case.
/// </summary>
internal static class ShortIds
{
    public const int Bytes = 16;
    public const int UuidCharacters = 36;
    public const int UlidCharacters = 26;

    private const byte NoDigit = 0xff;

    private static readonly byte[] s_values = Values();
    private static readonly ushort[] s_pairs = Pairs();

    private static ReadOnlySpan<byte> Digits => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"u8;

    public static bool TryPackUuid(ReadOnlySpan<byte> text, Span<byte> to)
    {
        if (text.Length != UuidCharacters || !Utf8Parser.TryParse(text, out Guid id, out int used, 'D') || used != text.Length)
        {
            return false;
        }

        // Upper case is read, too, and would come back changed.
        return !text.ContainsAnyInRange((byte)'A', (byte)'F') && id.TryWriteBytes(to, bigEndian: true, out _);
    }

    public static void UnpackUuid(ReadOnlySpan<byte> from, Span<byte> to) =>
        Utf8Formatter.TryFormat(new Guid(from, bigEndian: true), to, out _, 'D');

    public static bool TryPackUlid(ReadOnlySpan<byte> text, Span<byte> to)
    {
        // The first digit has three bits: 26 of five are two more than 128.
        if (text.Length != UlidCharacters || text[0] > '7')
        {
            return false;
        }

        ulong high = 0;
        ulong low = 0;
        byte odd = 0;
        for (int n = 0; n < 13; n++)
        {
            byte first = s_values[text[n]];
            byte second = s_values[text[n + 13]];
            odd |= (byte)(first | second);
            high = (high << 5) | first;
            low = (low << 5) | second;
        }

        if (odd >= 32)
        {
            return false;
        }

        // The lower 65 bits are in the second half of the text, whose topmost one fell out of the shift.
        ulong top = (ulong)(s_values[text[13]] >> 4);
        BinaryPrimitives.WriteUInt64BigEndian(to, (high << 1) | top);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], low);
        return true;
    }

    public static void UnpackUlid(ReadOnlySpan<byte> from, Span<byte> to)
    {
        // Two digits at a time, of ten bits.
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(from);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(from[8..]);
        Span<ushort> pairs = MemoryMarshal.Cast<byte, ushort>(to[..UlidCharacters]);
        for (int n = 0; n < 6; n++)
        {
            pairs[n] = s_pairs[(high >> (56 - (10 * n))) & 1023];
            pairs[n + 7] = s_pairs[(low >> (50 - (10 * n))) & 1023];
        }

        pairs[6] = s_pairs[((high << 4) | (low >> 60)) & 1023];
    }

    private static byte[] Values()
    {
        byte[] values = new byte[256];
        Array.Fill(values, NoDigit);
        for (int n = 0; n < Digits.Length; n++)
        {
            values[Digits[n]] = (byte)n;
        }

        return values;
    }

    private static ushort[] Pairs()
    {
        byte[] pairs = new byte[2 * 1024];
        for (int n = 0; n < 1024; n++)
        {
            pairs[2 * n] = Digits[n >> 5];
            pairs[(2 * n) + 1] = Digits[n & 31];
        }

        return MemoryMarshal.Cast<byte, ushort>(pairs).ToArray();
    }
}
