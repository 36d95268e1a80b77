using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>timestamp (section 6.17): milliseconds, rounded down. The offset is not kept.</summary>
internal sealed class TimestampCodec : ICqlCodec<TimestampCodec, DateTimeOffset>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Timestamp;

    public static void Write(CqlBuffer buffer, DateTimeOffset value) => buffer.WriteLong(value.ToUnixTimeMilliseconds());

    /// <exception cref="ArgumentOutOfRangeException">It lies outside of the years 1 to 9999.</exception>
    public static DateTimeOffset Read(ReadOnlySpan<byte> bytes) =>
        DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(Sized.Of(bytes, 8)));
}
