using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>date (section 6.5): days, 2^31 is 1970-01-01.</summary>
internal sealed class DateCodec : ICqlCodec<DateCodec, DateOnly>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Date;

    private static readonly int s_epoch = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    public static void Write(CqlBuffer buffer, DateOnly value) => buffer.WriteInt(value.DayNumber - s_epoch + int.MinValue);

    /// <exception cref="ArgumentOutOfRangeException">It lies outside of the years 1 to 9999.</exception>
    public static DateOnly Read(ReadOnlySpan<byte> bytes)
    {
        long days = BinaryPrimitives.ReadUInt32BigEndian(Sized.Of(bytes, 4)) - (1L << 31) + s_epoch;
        return DateOnly.FromDayNumber((int)Math.Clamp(days, int.MinValue, int.MaxValue));
    }
}
