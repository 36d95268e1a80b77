using System.Buffers.Binary;
using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>time (section 6.16): nanoseconds since midnight; read to 100 ns, rounded down.</summary>
internal sealed class TimeCodec : ICqlCodec<TimeCodec, TimeOnly>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Time;

    public static void Write(CqlBuffer buffer, TimeOnly value) => buffer.WriteLong(value.Ticks * TimeSpan.NanosecondsPerTick);

    public static TimeOnly Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadInt64BigEndian(Sized.Of(bytes, 8)) / TimeSpan.NanosecondsPerTick);
}
