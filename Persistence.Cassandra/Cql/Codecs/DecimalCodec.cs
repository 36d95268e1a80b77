using System.Numerics;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>decimal (section 6.6).</summary>
internal sealed class DecimalCodec : ICqlCodec<DecimalCodec, decimal>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Decimal;

    public static void Write(CqlBuffer buffer, decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        buffer.WriteInt(value.Scale);
        BigInteger unscaled = ((BigInteger)(uint)bits[2] << 64) | ((BigInteger)(uint)bits[1] << 32) | (uint)bits[0];
        VarintCodec.Write(buffer, decimal.IsNegative(value) ? -unscaled : unscaled);
    }

    /// <exception cref="OverflowException">It has more digits than a decimal of .NET holds.</exception>
    public static decimal Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new CqlReader(bytes);
        int scale = reader.ReadInt();
        var unscaled = new BigInteger(reader.ReadRaw(reader.Remaining), isBigEndian: true);
        while (scale > 28 && unscaled % 10 == 0 && !unscaled.IsZero)
        {
            unscaled /= 10;
            scale--;
        }

        if (unscaled.IsZero)
        {
            return 0;
        }

        if (scale is > 28 or < -28)
        {
            throw new OverflowException($"A decimal of the scale {scale} is not one of .NET");
        }

        if (scale < 0)
        {
            return (decimal)(unscaled * BigInteger.Pow(10, -scale));
        }

        var digits = (decimal)BigInteger.Abs(unscaled);
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(digits, bits);
        return new decimal(bits[0], bits[1], bits[2], unscaled.Sign < 0, (byte)scale);
    }
}
