using ClickAggregator.Persistence.Cassandra.Cql.Protocol;

namespace ClickAggregator.Persistence.Cassandra.Cql.Codecs;

/// <summary>blob (section 6.3), and whatever the server has added by a name.</summary>
internal sealed class BlobCodec : ICqlCodec<BlobCodec, byte[]>
{
    public static bool Accepts(CqlTypeCode type) => type is CqlTypeCode.Blob or CqlTypeCode.Custom;

    public static void Write(CqlBuffer buffer, byte[] value) => buffer.WriteRaw(value);

    public static byte[] Read(ReadOnlySpan<byte> bytes) => bytes.ToArray();
}
