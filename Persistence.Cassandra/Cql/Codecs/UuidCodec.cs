using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>uuid and timeuuid (sections 6.21 and 6.18).</summary>
internal sealed class UuidCodec : ICqlCodec<UuidCodec, Guid>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Uuid or CqlTypeCode.Timeuuid;

    public static void Write(CqlBuffer buffer, Guid value) => value.TryWriteBytes(buffer.Take(16), bigEndian: true, out _);

    public static Guid Read(ReadOnlySpan<byte> bytes) => new(Sized.Of(bytes, 16), bigEndian: true);
}
