using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>blob (section 6.3) of borrowed bytes.</summary>
internal sealed class BlobMemoryCodec : ICqlCodec<BlobMemoryCodec, ReadOnlyMemory<byte>>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Blob or CqlTypeCode.Custom;

    public static void Write(CqlBuffer buffer, ReadOnlyMemory<byte> value) => buffer.WriteRaw(value.Span);

    public static ReadOnlyMemory<byte> Read(ReadOnlySpan<byte> bytes) => bytes.ToArray();
}
