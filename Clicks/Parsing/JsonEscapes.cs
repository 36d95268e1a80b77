using System.Buffers.Text;
using System.Text;

namespace ClickAggregator.Clicks;

/// <summary>Resolves the escapes of a JSON string that the scanner has accepted.</summary>
internal static class JsonEscapes
{
    /// <summary>
    /// Writes the string's value. False where it does not fit, or where an escaped surrogate stands alone (no UTF-8
    /// can say it).
    /// </summary>
    public static bool TryUnescape(ReadOnlySpan<byte> raw, Span<byte> destination, out int written)
    {
        written = 0;
        while (true)
        {
            int run = raw.IndexOf((byte)'\\');
            ReadOnlySpan<byte> plain = run < 0 ? raw : raw[..run];
            if (!plain.TryCopyTo(destination[written..]))
            {
                return false;
            }

            written += plain.Length;
            if (run < 0)
            {
                return true;
            }

            raw = raw[run..];
            if (!TryRune(ref raw, out Rune rune) || !rune.TryEncodeToUtf8(destination[written..], out int bytes))
            {
                return false;
            }

            written += bytes;
        }
    }

    private static bool TryRune(ref ReadOnlySpan<byte> raw, out Rune rune)
    {
        if (raw[1] != (byte)'u')
        {
            rune = new Rune(raw[1] switch
            {
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                byte same => (char)same,
            });
            raw = raw[2..];
            return true;
        }

        char unit = Unit(raw);
        raw = raw[6..];
        if (Rune.TryCreate(unit, out rune))
        {
            return true;
        }

        if (raw.Length < 6 || raw[0] != (byte)'\\' || raw[1] != (byte)'u' || !Rune.TryCreate(unit, Unit(raw), out rune))
        {
            return false;
        }

        raw = raw[6..];
        return true;
    }

    private static char Unit(ReadOnlySpan<byte> escape)
    {
        _ = Utf8Parser.TryParse(escape.Slice(2, 4), out ushort unit, out _, 'x');
        return (char)unit;
    }
}
